"""Tables that name picture files: CSV, JSON and COCO beside the pictures; and the class in the files' names."""

from __future__ import annotations

import json

import pytest

from components.ingest.folders.elsewhere import classes_elsewhere, example_pattern
from serving.errors import InputError
from tests.components.ingest.tables.reading import plan, refusal, rows, same_rows
from tests.table_files import NAMES, pictures, save_png, write_rows

IMAGES, LABELS = pictures(30)
TEXTS = [NAMES[label] for label in LABELS]
SORTED = ("one", "two", "zero")


def numbers(texts):
    return [SORTED.index(text) for text in texts]


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "set"
    for row, image in enumerate(IMAGES):
        save_png(root / "images" / f"id {row}.png", image)
    return root


def everything(found):
    train, test = rows(found, "train"), rows(found, "test")
    return [*train[0], *test[0]], [*train[1], *test[1]]


FORMS = {
    "path": "images/id {}.png",
    "name": "id {}.png",
    "stem": "id {}",
    "path of another machine": "data\\images\\id {}.png",
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("header", [("file", "label"), ("id", "breed"), ("image_id", "diagnosis")])
def test_table_names_its_pictures(folder, form, header):
    write_rows(folder / "labels.csv", header, [(form.format(row), text) for row, text in enumerate(TEXTS)])
    found = plan(folder)
    assert found.class_names == SORTED
    assert same_rows(everything(found), IMAGES[..., None], numbers(TEXTS))
    assert found.left_out == {}


def coco(texts):
    return {
        "images": [{"id": 10 + row, "file_name": f"id {row}.png"} for row in range(len(texts))],
        "annotations": [{"image_id": 10 + row, "category_id": NAMES.index(text)} for row, text in enumerate(texts)],
        "categories": [{"id": number, "name": name} for number, name in enumerate(NAMES)],
    }


JSON_FORMS = {
    "records": lambda: json.dumps([{"file_name": f"id {row}.png", "label": text} for row, text in enumerate(TEXTS)]),
    "lines": lambda: "\n".join(json.dumps({"file": f"id {row}.png", "class": text}) for row, text in enumerate(TEXTS)),
    "mapping": lambda: json.dumps({f"images/id {row}.png": text for row, text in enumerate(TEXTS)}),
    "lists": lambda: json.dumps({name: [f"id {row}.png" for row in range(30) if TEXTS[row] == name] for name in NAMES}),
    "coco": lambda: json.dumps(coco(TEXTS)),
}


@pytest.mark.parametrize("form", JSON_FORMS.values(), ids=JSON_FORMS)
def test_json_names_its_pictures(folder, form):
    (folder / "labels.json").write_text(form())
    found = plan(folder / "labels.json")
    assert found.class_names == SORTED
    assert same_rows(everything(found), IMAGES[..., None], numbers(TEXTS))


def test_columns_of_ones_and_zeros_are_classes(tmp_path):
    root = tmp_path / "set"
    splits = {"train": range(18), "valid": range(18, 24), "test": range(24, 30)}
    for split, part in splits.items():
        for row in part:
            save_png(root / split / f"{row}.png", IMAGES[row])
        lines = [[f"{row}.png", *(int(label == LABELS[row]) for label in range(3))] for row in part]
        write_rows(root / split / "_classes.csv", ["filename", *(f" {name}" for name in NAMES)], lines)
    found = plan(root)
    assert found.class_names == SORTED
    # The validation rows are the last ones of the training split.
    assert same_rows(rows(found, "train"), IMAGES[:24, ..., None], numbers(TEXTS[:24]))
    assert same_rows(rows(found, "test"), IMAGES[24:, ..., None], numbers(TEXTS[24:]))
    assert found.validation_blocks == 1
    write_rows(root / "test" / "_classes.csv", ["filename", *NAMES], [["24.png", 1, 1, 0]])
    assert "row 0: the columns 'zero', 'one', 'two' have 2 ones, a label has exactly one" in refusal(root)


def test_what_a_table_leaves_out_or_misses_is_counted(folder):
    rows_of = [(f"id {row}.png", text) for row, text in enumerate(TEXTS)]
    write_rows(folder / "labels.csv", ("file", "label"), rows_of[:-2])
    (folder / "notes.txt").write_text("mine")
    assert plan(folder / "labels.csv").left_out == {"in no table": 2, ".txt": 1}
    write_rows(folder / "labels.csv", ("file", "label"), [*rows_of, ("gone.png", "one"), ("lost.png", "one")])
    assert "names 2 of 32 pictures that do not exist: gone.png, lost.png" in refusal(folder)
    write_rows(folder / "labels.csv", ("file", "label"), [*rows_of, ("id 0.png", "two")])
    assert "has two labels" in refusal(folder)


def test_name_that_may_be_two_pictures_is_refused(folder):
    save_png(folder / "more" / "id 0.png", IMAGES[0])
    write_rows(folder / "labels.csv", ("file", "label"), [(f"id {row}.png", text) for row, text in enumerate(TEXTS)])
    assert "id 0.png may be images/id 0.png or more/id 0.png: write the path" in refusal(folder)


def test_table_without_pictures_beside_it_is_refused(tmp_path):
    path = write_rows(tmp_path / "t.csv", ("name", "label"), [("a.png", "cat"), ("b.png", "dog")])
    assert "put the table beside the pictures" in refusal(path)


def test_coco_of_several_classes_is_refused(folder):
    content = coco(TEXTS)
    content["annotations"].append({"image_id": 10, "category_id": 1})
    (folder / "c.json").write_text(json.dumps(content))
    assert "1 of 30 images have objects of several categories, e.g. id 0.png" in refusal(folder / "c.json")
    content = coco(TEXTS)
    del content["annotations"][0]
    (folder / "c.json").write_text(json.dumps(content))
    assert "1 of 30 images have no annotation, e.g. id 0.png" in refusal(folder / "c.json")


@pytest.mark.parametrize("layout", ["flat", "splits"])
@pytest.mark.parametrize(
    ("form", "pattern"), [("{}.{}", r"([a-z]+)[.]\d"), ("{1}_{0}", r"_(\w+)"), ("img-{}-{}", "-(.+)-")]
)
def test_class_in_the_name_of_a_picture(tmp_path, layout, form, pattern):
    root = tmp_path / "set"
    for row, image in enumerate(IMAGES):
        split = ("train" if row < 24 else "test") if layout == "splits" else ""
        save_png(root / split / f"{form.format(TEXTS[row], row)}.png", image)
    found = plan(root, "folder", class_pattern=pattern)
    assert found.class_names == SORTED
    assert same_rows(everything(found), IMAGES[..., None], numbers(TEXTS))
    if layout == "splits":
        assert same_rows(rows(found, "test"), IMAGES[24:, ..., None], numbers(TEXTS[24:]))


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("[a-z", "is not a regular expression"),
        ("[a-z]+", "has 0 groups: give a regular expression with parentheses around the class alone"),
        ("(a)(b)", "has 2 groups"),
        (r"(\d{7})", "finds no class in 30 of 30 pictures: images/id 0.png"),
    ],
)
def test_pattern_that_finds_no_class_is_refused(folder, pattern, expected):
    with pytest.raises(InputError) as error:
        plan(folder, "folder", class_pattern=pattern)
    assert expected in str(error.value)


@pytest.mark.parametrize(
    ("names", "pattern"),
    [
        (["cat.0.png", "cat.1.png", "dog.2.png"], "([A-Za-z]+)[._-][0-9]"),
        (["0_cat.png", "1_dog.png", "2_dog.png"], "[0-9][._-]([A-Za-z]+)[.]"),
        (["cat1.png", "dog1.png", "dog2.png"], "([A-Za-z]+)[0-9]"),
    ],
)
def test_advice_finds_the_classes_of_the_names(tmp_path, names, pattern):
    assert example_pattern(names) == (pattern, ["cat", "dog"])
    for number, name in enumerate(names):
        save_png(tmp_path / "set" / name, IMAGES[number])
    with pytest.raises(InputError) as error:
        plan(tmp_path / "set", "folder")
    assert f"--ingest.class-pattern '{pattern}', which finds the classes cat, dog" in str(error.value)
    assert plan(tmp_path / "set", "folder", class_pattern=pattern).class_names == ("cat", "dog")
    table = write_rows(tmp_path / "set" / "labels.csv", ("file", "label"), [])
    assert f"give --dataset table:{table}; if it is in" in classes_elsewhere(tmp_path / "set", names)
    numbered = [f"img_{number}.png" for number in range(3)]
    assert classes_elsewhere(tmp_path / "set", numbered).endswith(f"give --dataset table:{table}")
