"""The Beam door: Beam's options, and how a component runs a Beam job and gets its results."""

from __future__ import annotations

import contextlib
import io
import logging
import pickle
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from serving.arguments.parser import Arguments
from serving.arguments.ranges import Range
from serving.errors import InputError
from serving.files import staged_file
from serving.process.child import own_packages_in_children
from serving.suggestions import nearest

if TYPE_CHECKING:
    import apache_beam
    from apache_beam.runners.runner import PipelineResult

Item = TypeVar("Item")
Result = TypeVar("Result")

log = logging.getLogger("beamline.beam")

# DirectRunner first tries to download the program of another runner. It falls back to this one.
LOCAL_RUNNER = "FnApiRunner"
# Each worker is a process.
WORKERS = Range(0, 1024)


@dataclass(frozen=True)
class BeamOptions:
    """Arguments for Beam's own PipelineOptions, e.g. `("--runner=FlinkRunner",)`; empty runs in this process."""

    arguments: tuple[str, ...] = ()

    def require_known(self) -> None:
        """Refuses arguments that Beam would ignore silently, or that would end the process.

        Unknown options are refused for a local runner only: a remote runner may define options of its own.

        Raises:
            InputError: an unknown option, or an invalid value.
        """
        if not self.arguments:
            return
        # When it is imported, Beam prints warnings about optional packages.
        with contextlib.redirect_stderr(io.StringIO()):
            from apache_beam.options.pipeline_options import PipelineOptions, StandardOptions

        parser = Arguments("Beam", "Beam's pipeline options.", add_help=False)
        for options in _subclasses(PipelineOptions):
            if "_add_argparse_args" in vars(options):
                options._add_argparse_args(parser)
        try:
            given, unknown = parser.parse_known_args(self.arguments)
        except InputError as error:
            raise InputError(f"after --, for Beam: {str(error).removesuffix(': see Beam --help')}") from None
        if (workers := given.direct_num_workers) not in WORKERS:
            raise InputError(f"--direct_num_workers={workers} after --: give {WORKERS}; 0 is one for each processor")
        runners = {name.lower(): name for name in StandardOptions.KNOWN_RUNNER_NAMES}
        runner = given.runner or LOCAL_RUNNER
        if "." not in runner and runner.lower() not in runners:
            raise InputError(
                f"--runner={runner} after --: Beam has no such runner: give one of {', '.join(runners.values())}"
            )
        if unknown and runners.get(runner.lower()) in StandardOptions.LOCAL_RUNNERS:
            flags = [flag for action in parser._actions for flag in action.option_strings]
            near = nearest(unknown[0].split("=")[0], flags)
            otherwise = "arguments after -- are for Beam; put the options of run before it"
            advice = f"did you mean {near}?" if near else otherwise
            raise InputError(f"{unknown[0]} after --: Beam has no such option: {advice}")

    def run(self, build: Callable[[apache_beam.Pipeline], object]) -> PipelineResult:
        """Builds a Beam pipeline, runs it, waits until it is done, and returns Beam's result, with its metrics.

        Raises:
            Exception: the exception that a transform raised, unchanged, without Beam's wrapping.
        """
        import apache_beam
        from apache_beam.options.pipeline_options import PipelineOptions, StandardOptions
        from apache_beam.runners.worker import statesampler

        # Beam logs every failure with its own stack; the caller reports the failure once.
        logging.getLogger("apache_beam").setLevel(logging.CRITICAL)
        options = PipelineOptions(list(self.arguments))
        standard = options.view_as(StandardOptions)
        if standard.runner in (None, "DirectRunner"):
            if standard.runner is not None:
                log.info("using %s, which DirectRunner would choose on one machine", LOCAL_RUNNER)
            standard.runner = LOCAL_RUNNER
        pipeline = apache_beam.Pipeline(options=options)
        build(pipeline)
        # When a job ends, it removes the thread's counters, including those of an enclosing step.
        outer_counters = statesampler.get_current_tracker()
        try:
            # A runner may start other processes, whose working folder may have packages of the same names.
            with own_packages_in_children():
                result = pipeline.run()
                result.wait_until_finish()
        except Exception as error:
            failure = _unwrapped(error)
        else:
            return result
        finally:
            statesampler.set_current_tracker(outer_counters)
        # Raised outside of the except clause, the failure keeps its own cause.
        raise failure

    def map(self, function: Callable[[Item], Result], items: Sequence[Item], folder: Path) -> list[Result]:
        """Applies a function to each item: on Beam's workers if there are arguments for Beam, else in this process.

        A Beam job in this process would take half a second more, and give the same results.

        Args:
            function: can be pickled, and called again for the same item.
            items: can be pickled.
            folder: as for `collect`.

        Returns: the results, in any order.
        """
        if not self.arguments:
            return [function(item) for item in items]
        import apache_beam

        def build(pipeline: apache_beam.Pipeline) -> dict[str, apache_beam.PCollection[Any]]:
            # Without a reshuffle, one worker would get all items.
            spread = pipeline | "items" >> apache_beam.Create(items, reshuffle=len(items) > 1)
            return {"results": spread | "apply" >> apache_beam.Map(function)}

        return self.collect(build, folder)[0]["results"]

    def collect(
        self, build: Callable[[apache_beam.Pipeline], Mapping[str, apache_beam.PCollection[Any]]], folder: Path
    ) -> tuple[dict[str, list[Any]], PipelineResult]:
        """Runs a Beam pipeline and returns the elements of its results, in any order.

        From workers, the elements travel through one pickle file per result, in this process through its memory. All
        elements of a result fit in memory.

        Args:
            build: applies the transforms to an empty pipeline, and returns the results by name.
            folder: where the files are until they are read; all workers can write to it.

        Returns:
            The elements of each result, by name, and Beam's own result, as from `run`.
        """
        import apache_beam

        folder = folder.absolute()
        files: dict[str, Path] = {}

        def gather(pipeline: apache_beam.Pipeline) -> None:
            for name, elements in build(pipeline).items():
                file = files[name] = folder / f"{name}.pickle"
                if self.arguments:
                    gathered = elements | f"gather {name}" >> apache_beam.combiners.ToList()
                    gathered | f"write {name}" >> apache_beam.Map(_write_pickle, file=file)
                else:
                    _KEPT[file] = []
                    elements | f"keep {name}" >> apache_beam.Map(_keep, file=file)

        read = _read_pickle if self.arguments else _KEPT.__getitem__
        try:
            beam_result = self.run(gather)
            return {name: read(file) for name, file in files.items()}, beam_result
        finally:
            for file in files.values():
                _KEPT.pop(file, None)


# The elements of results in this process, by the file that would have them if they came from workers: Beam copies what
# a transform holds. No file is needed, so that a full disk cannot lose the results.
_KEPT: dict[Path, list[Any]] = {}


def _keep(element: Any, file: Path) -> None:
    _KEPT[file].append(element)


def _read_pickle(file: Path) -> list[Any]:
    elements: list[Any] = pickle.loads(file.read_bytes())
    file.unlink()
    return elements


def _write_pickle(elements: list[Any], file: Path) -> None:
    # Beam may run a write twice at the same time; each one replaces the whole file.
    with staged_file(file) as staged:
        staged.write(pickle.dumps(elements))


def _subclasses(kind: type[Any]) -> Iterator[type[Any]]:
    for subclass in kind.__subclasses__():
        yield subclass
        yield from _subclasses(subclass)


def _unwrapped(error: BaseException) -> BaseException:
    """The exception that the transform raised: Beam adds the step's name to it, or raises it as another type."""
    while getattr(error, "_tagged_with_step", False) and error.__context__ is not None:
        error = error.__context__
    return error
