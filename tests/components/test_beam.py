"""beam: a job runs, and a failure comes back as the sentence that was raised."""

from __future__ import annotations

import pytest

from components.beam import BeamOptions
from serving.errors import BundleError, InputError
from serving.interrupts import Terminated


class NeedsKeywordError(Exception):
    """One that Beam cannot make again from its arguments."""

    def __init__(self, *, what):
        super().__init__(f"needs {what}")
        self.what = what


def failing(make):
    """A job whose work raises what `make` gives."""
    import apache_beam

    def work(number):
        raise make()

    return lambda pipeline: pipeline | apache_beam.Create([1]) | "work" >> apache_beam.Map(work)


def test_job_is_done_when_run_returns(tmp_path):
    import apache_beam

    def write(numbers):
        (tmp_path / "sum").write_text(str(sum(numbers)))

    result = BeamOptions().run(
        lambda pipeline: (
            pipeline
            | apache_beam.Create([1, 2, 3])
            | apache_beam.Map(lambda number: number * 10)
            | apache_beam.combiners.ToList()
            | apache_beam.Map(write)
        )
    )
    assert (tmp_path / "sum").read_text() == "60"
    assert result.state == "DONE"


@pytest.mark.parametrize("kind", [InputError, BundleError])
def test_failure_of_the_work_keeps_its_type_and_its_sentence(kind):
    with pytest.raises(kind) as caught:
        BeamOptions().run(failing(lambda: kind("a.npy is empty: give images")))
    assert str(caught.value) == "a.npy is empty: give images"
    assert caught.value.args == ("a.npy is empty: give images",)


def test_failure_after_a_grouping_keeps_its_sentence():
    import apache_beam

    def work(pair):
        raise InputError("too deep")

    with pytest.raises(InputError) as caught:
        BeamOptions().run(
            lambda pipeline: (
                pipeline
                | apache_beam.Create([("a", 1), ("a", 2)])
                | apache_beam.GroupByKey()
                | "work" >> apache_beam.Map(work)
                | "after" >> apache_beam.Map(print)
            )
        )
    assert str(caught.value) == "too deep"


def test_failure_that_beam_cannot_make_again_keeps_its_type():
    with pytest.raises(NeedsKeywordError) as caught:
        BeamOptions().run(failing(lambda: NeedsKeywordError(what="care")))
    assert str(caught.value) == "needs care"
    assert caught.value.what == "care"


@pytest.mark.parametrize("kind", [KeyboardInterrupt, Terminated])
def test_interruption_of_the_work_is_one_of_the_job(kind):
    with pytest.raises(kind):
        BeamOptions().run(failing(kind))


def test_failure_keeps_the_cause_that_it_was_raised_from():
    import apache_beam

    def work(said):
        try:
            return said["format"]
        except KeyError as error:
            raise InputError("a.json is damaged") from error

    with pytest.raises(InputError, match=r"^a\.json is damaged$") as caught:
        BeamOptions().run(lambda pipeline: pipeline | apache_beam.Create([{}]) | apache_beam.Map(work))
    assert isinstance(caught.value.__cause__, KeyError)


def test_beam_prints_no_frames_of_its_own(capfd):
    with pytest.raises(InputError):
        BeamOptions().run(failing(lambda: InputError("told once")))
    printed = capfd.readouterr()
    assert "Traceback" not in printed.err + printed.out
    assert "told once" not in printed.err + printed.out


@pytest.mark.parametrize("arguments", [(), ("--runner=DirectRunner",), ("--runner=FnApiRunner",)])
def test_job_of_this_process_runs_on_fn_api_runner(arguments, caplog):
    import apache_beam

    runners = []

    def build(pipeline):
        runners.append(type(pipeline.runner).__name__)
        return pipeline | apache_beam.Create([1])

    with caplog.at_level("INFO", logger="beamline.beam"):
        BeamOptions(arguments).run(build)
    assert runners == ["FnApiRunner"]
    said = [record.getMessage() for record in caplog.records if record.name == "beamline.beam"]
    asked_for_another = arguments == ("--runner=DirectRunner",)
    assert [message.startswith("DirectRunner is run as FnApiRunner") for message in said] == [True] * asked_for_another


def test_other_arguments_reach_beam():
    import apache_beam
    from apache_beam.options.pipeline_options import SetupOptions

    built = []

    def build(pipeline):
        built.append(pipeline.options.view_as(SetupOptions).save_main_session)
        return pipeline | apache_beam.Create([1])

    BeamOptions(("--save_main_session",)).run(build)
    assert built == [True]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--direct_num_workrs=2",), r"--direct_num_workrs=2 after --: .* did you mean --direct_num_workers\?"),
        (("--help",), "--help after --: Beam has no such option"),
        (("--runner=FnApiRunner", "images"), "images after --: Beam has no such option"),
        (("--direct_num_workers=two",), "after --, for Beam: argument --direct_num_workers: invalid int value: 'two'"),
        (("--runner=Flunk",), "--runner=Flunk after --: Beam has no such runner: give one of .*FlinkRunner"),
    ],
)
def test_what_beam_does_not_know_is_refused(arguments, sentence):
    with pytest.raises(InputError, match=sentence):
        BeamOptions(arguments).require_known()


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--direct_num_workers=2", "--streaming"),
        # Its job server knows options of which Beam here has never heard.
        ("--runner=FlinkRunner", "--flink_master=host:8081", "--object_reuse_of_theirs=true"),
        ("--runner=somebody.elses.Runner", "--anything"),
    ],
)
def test_what_beam_or_another_runner_may_know_passes(arguments):
    BeamOptions(arguments).require_known()
