"""The column of labels of a table: names and numbers of classes are not mixed up."""

from __future__ import annotations

import pytest

from serving.batch.labels import open_labels
from serving.errors import InputError
from tests.table_files import write_rows


def labels(folder, texts, names):
    path = write_rows(folder / "t.csv", ("label", "other"), [(text, 1) for text in texts])
    found = open_labels(path, names)
    return found.read(0, found.rows).tolist()


@pytest.mark.parametrize(
    ("texts", "names", "expected"),
    [
        (["001", "003", "002"], ("001", "002", "003"), [0, 2, 1]),
        (["0", "2", "1.0"], ("0", "1", "2"), [0, 2, 1]),
        (["2", "0"], ("cat", "dog", "owl"), [2, 0]),
        (["owl", "cat"], ("cat", "dog", "owl"), [2, 0]),
        (["07"], tuple("0123456789"), [7]),
    ],
)
def test_label_is_a_name_or_a_number(tmp_path, texts, names, expected):
    assert labels(tmp_path, texts, names) == expected


def test_number_that_is_the_name_of_another_class_is_refused(tmp_path):
    with pytest.raises(InputError) as error:
        labels(tmp_path, ["1", "2"], ("1", "2", "10"))
    assert "which may be the class named" in str(error.value)


def test_label_that_is_no_class_is_named_with_its_row(tmp_path):
    with pytest.raises(InputError) as error:
        labels(tmp_path, ["cat", "1", "own"], ("cat", "dog", "owl"))
    assert "has the label 'own' in row 2, which is not a class: did you mean 'owl'?" in str(error.value)
