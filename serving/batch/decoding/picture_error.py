"""PictureError: why a picture cannot be used, as a kind that can be counted, a fact and an advice."""

from __future__ import annotations

# Kinds as they follow a number: `30 damaged, 2 transparent`.
DAMAGED, OTHER_SIZE, TRANSPARENT, SIXTEEN_BITS = "damaged", "of another size", "transparent", "with 16 bits per channel"
ANIMATED, COLOURED, TOO_LARGE, UNREADABLE = "animated", "coloured", "too large", "unreadable"
OTHER_PIXELS, OTHER_FORMAT, NO_PICTURE, POINTER = (
    "of other pixel types",
    "of other formats",
    "that are not pictures",
    "pointers",
)


class PictureError(ValueError):
    """A picture is damaged, or does not fit the model; the text continues a sentence that starts with its name.

    Attributes:
        kind: the kind of the fault, as it follows a number.
        fact: what is wrong.
        advice: what to do about one such picture.
    """

    def __init__(self, kind: str, fact: str, advice: str) -> None:
        """Takes the attributes, which are also the arguments of the exception, so that it can be pickled."""
        super().__init__(kind, fact, advice)
        self.kind, self.fact, self.advice = kind, fact, advice

    def __str__(self) -> str:
        """The fact and the advice."""
        return f"{self.fact}: {self.advice}"


def damaged(what: str, reason: str) -> PictureError:
    """The error of a damaged picture; `what` is `PNG picture` or such."""
    return PictureError(DAMAGED, f"is a damaged {what} ({reason})", "repair or remove it")


def sixteen_bits(grey: bool) -> PictureError:
    """The error of a picture with 16 bits per channel. Pillow reads those with colours or opacity as 8 bits itself."""
    divided = 'Image.fromarray((numpy.asarray(Image.open(FILE)) // 257).astype("uint8")).save(NEW)'
    how = (
        "divide its pixels by 257 if the values of the set reach 65,535, else by the largest of them / 255, and save "
        f"them as 8 bits: {divided}; Pillow's convert would make them white"
        if grey
        else "save it with 8, as Pillow does: Image.open(FILE).save(NEW)"
    )
    return PictureError(SIXTEEN_BITS, "has 16 bits per channel, the model takes 8", how)
