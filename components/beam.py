"""What data-parallel work runs on: Beam's options, and one way to run a job with them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import apache_beam
    from apache_beam.runners.runner import PipelineResult

log = logging.getLogger("beamline.beam")

# DirectRunner would first try to download another runner's program; this is the one that it falls back to.
LOCAL_RUNNER = "FnApiRunner"


@dataclass(frozen=True)
class BeamOptions:
    """Arguments for Beam's own PipelineOptions, e.g. `("--runner=FlinkRunner",)`; empty runs in this process."""

    arguments: tuple[str, ...] = ()

    def run(self, build: Callable[[apache_beam.Pipeline], object]) -> PipelineResult:
        """Builds a Beam pipeline, runs it and waits until it is done.

        Args:
            build: applies the transforms to an empty pipeline.

        Returns:
            Beam's result, with its metrics.

        Raises:
            Exception: whatever the work itself raised, as it was raised, without Beam's wrapping.
        """
        import apache_beam
        from apache_beam.options.pipeline_options import PipelineOptions, StandardOptions
        from apache_beam.runners.worker import statesampler

        # Beam prints every failure with its own frames; whoever runs the job tells it once, and logs it.
        logging.getLogger("apache_beam").setLevel(logging.CRITICAL)
        options = PipelineOptions(list(self.arguments))
        standard = options.view_as(StandardOptions)
        if standard.runner in (None, "DirectRunner"):
            if standard.runner is not None:
                log.info("DirectRunner is run as %s, which is what it becomes on one machine", LOCAL_RUNNER)
            standard.runner = LOCAL_RUNNER
        pipeline = apache_beam.Pipeline(options=options)
        build(pipeline)
        # A job that ends takes the thread's counters with it, also those of a step that it was run inside of.
        outer_counters = statesampler.get_current_tracker()
        try:
            result = pipeline.run()
            result.wait_until_finish()
        except Exception as error:
            failure = unwrapped(error)
        else:
            return result
        finally:
            statesampler.set_current_tracker(outer_counters)
        # Raised out here, the failure keeps the cause that it was raised from.
        raise failure


def unwrapped(error: BaseException) -> BaseException:
    """The exception that the work raised: Beam tags it with the step's name, or re-makes it as another type."""
    while getattr(error, "_tagged_with_step", False) and error.__context__ is not None:
        error = error.__context__
    return error
