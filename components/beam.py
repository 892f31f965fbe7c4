"""What data-parallel work runs on: Beam's options, and one way to run a job with them."""

from __future__ import annotations

import contextlib
import difflib
import io
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from serving.arguments import Arguments
from serving.errors import InputError

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

    def require_known(self) -> None:
        """Refuses what Beam would leave out in silence, or end the process for.

        A runner elsewhere may know options of which Beam here has never heard; the local one does not.

        Raises:
            InputError: an unknown option, or a value that is none.
        """
        if not self.arguments:
            return
        # Importing Beam warns of what it could do with more packages.
        with contextlib.redirect_stderr(io.StringIO()):
            from apache_beam.options.pipeline_options import PipelineOptions, StandardOptions

        parser = Arguments("Beam", "What Beam takes.", add_help=False)
        for options in _subclasses(PipelineOptions):
            if "_add_argparse_args" in vars(options):
                options._add_argparse_args(parser)
        try:
            given, unknown = parser.parse_known_args(self.arguments)
        except InputError as error:
            raise InputError(f"after --, for Beam: {str(error).removesuffix(': see Beam --help')}") from None
        runners = {name.lower(): name for name in StandardOptions.KNOWN_RUNNER_NAMES}
        runner = given.runner or LOCAL_RUNNER
        if "." not in runner and runner.lower() not in runners:
            raise InputError(
                f"--runner={runner} after --: Beam has no such runner: give one of {', '.join(runners.values())}"
            )
        if unknown and runners.get(runner.lower()) in StandardOptions.LOCAL_RUNNERS:
            flags = [flag for action in parser._actions for flag in action.option_strings]
            near = difflib.get_close_matches(unknown[0].split("=")[0], flags, n=1)
            hint = f"did you mean {near[0]}?" if near else "what stands there goes to Beam; flags of run come before it"
            raise InputError(f"{unknown[0]} after --: Beam has no such option: {hint}")

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


def _subclasses(kind: type[Any]) -> Iterator[type[Any]]:
    for subclass in kind.__subclasses__():
        yield subclass
        yield from _subclasses(subclass)


def unwrapped(error: BaseException) -> BaseException:
    """The exception that the work raised: Beam tags it with the step's name, or re-makes it as another type."""
    while getattr(error, "_tagged_with_step", False) and error.__context__ is not None:
        error = error.__context__
    return error
