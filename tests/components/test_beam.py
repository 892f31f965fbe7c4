"""beam: a job runs, returns its results, and raises the exception of its work."""

from __future__ import annotations

import pytest

from components.beam import BeamOptions
from serving.errors import BundleError, InputError
from serving.interrupts import Terminated


class NeedsKeywordError(Exception):
    """An exception that Beam cannot create again from its arguments."""

    def __init__(self, *, what):
        super().__init__(f"needs {what}")
        self.what = what


def failing(make):
    """A job whose work raises the exception that `make` returns."""
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


def test_results_are_collected_by_name_and_leave_no_file(tmp_path):
    import apache_beam

    def build(pipeline):
        numbers = pipeline | apache_beam.Create([3, 1, 2])
        return {"squares": numbers | apache_beam.Map(lambda number: number**2), "numbers": numbers}

    results = BeamOptions().collect(build, tmp_path)[0]
    assert {name: sorted(elements) for name, elements in results.items()} == {
        "squares": [1, 4, 9],
        "numbers": [1, 2, 3],
    }
    assert list(tmp_path.iterdir()) == []


def test_empty_result_is_an_empty_list(tmp_path):
    import apache_beam

    results = BeamOptions().collect(lambda pipeline: {"rows": pipeline | apache_beam.Create([])}, tmp_path)[0]
    assert results == {"rows": []}


@pytest.mark.parametrize("kind", [InputError, BundleError])
def test_exception_keeps_its_type_and_message(kind):
    with pytest.raises(kind) as caught:
        BeamOptions().run(failing(lambda: kind("a.npy is empty: give images")))
    assert str(caught.value) == "a.npy is empty: give images"
    assert caught.value.args == ("a.npy is empty: give images",)


def test_exception_after_a_grouping_keeps_its_message():
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


def test_exception_that_beam_cannot_create_again_keeps_its_type():
    with pytest.raises(NeedsKeywordError) as caught:
        BeamOptions().run(failing(lambda: NeedsKeywordError(what="care")))
    assert str(caught.value) == "needs care"
    assert caught.value.what == "care"


@pytest.mark.parametrize("kind", [KeyboardInterrupt, Terminated])
def test_interruption_of_the_work_ends_the_job(kind):
    with pytest.raises(kind):
        BeamOptions().run(failing(kind))


def test_exception_keeps_its_cause():
    import apache_beam

    def work(record):
        try:
            return record["format"]
        except KeyError as error:
            raise InputError("a.json is damaged") from error

    with pytest.raises(InputError, match=r"^a\.json is damaged$") as caught:
        BeamOptions().run(lambda pipeline: pipeline | apache_beam.Create([{}]) | apache_beam.Map(work))
    assert isinstance(caught.value.__cause__, KeyError)


def test_beam_prints_no_stack(capfd):
    with pytest.raises(InputError):
        BeamOptions().run(failing(lambda: InputError("a.npy is empty")))
    printed = capfd.readouterr()
    assert "Traceback" not in printed.err + printed.out
    assert "a.npy is empty" not in printed.err + printed.out


@pytest.mark.parametrize("arguments", [(), ("--runner=DirectRunner",), ("--runner=FnApiRunner",)])
def test_local_job_runs_on_fn_api_runner(arguments, caplog):
    import apache_beam

    runners = []

    def build(pipeline):
        runners.append(type(pipeline.runner).__name__)
        return pipeline | apache_beam.Create([1])

    with caplog.at_level("INFO", logger="beamline.beam"):
        BeamOptions(arguments).run(build)
    assert runners == ["FnApiRunner"]
    messages = [record.getMessage() for record in caplog.records if record.name == "beamline.beam"]
    asked_for_another = arguments == ("--runner=DirectRunner",)
    replaced = [message.startswith("using FnApiRunner") for message in messages]
    assert replaced == [True] * asked_for_another


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
def test_unknown_options_and_values_are_refused(arguments, sentence):
    with pytest.raises(InputError, match=sentence):
        BeamOptions(arguments).require_known()


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--direct_num_workers=2", "--streaming"),
        # Its job server may know options that this Beam does not know.
        ("--runner=FlinkRunner", "--flink_master=host:8081", "--object_reuse_of_theirs=true"),
        ("--runner=other.package.Runner", "--anything"),
    ],
)
def test_options_of_beam_or_of_a_remote_runner_are_accepted(arguments):
    BeamOptions(arguments).require_known()
