import numpy as np

from facenet_lit.plots.picture_pairs import PicturePair, draw_pairs
from facenet_lit.plots.style import pixels

RED, BLUE = np.zeros((2, 16, 16, 3), np.uint8)
RED[..., 0], BLUE[..., 2] = 255, 255


def test_both_pictures_stand_beside_each_other_over_names_and_distance() -> None:
    pairs = [PicturePair((RED, BLUE), ("Ada", "Bob"), 0.12345), PicturePair((BLUE, RED), ("Eve", "Eve"), 1.5)]
    figure = draw_pairs(pairs, "Hardest", "of 9")
    texts = [text.get_text() for text in figure.texts]
    assert texts == ["Hardest", "of 9", "distance 0.123", "Ada", "Bob", "distance 1.500", "Eve"]
    picture = pixels(figure)
    assert picture.shape[1] == 460
    first, second = (axes.get_window_extent() for axes in figure.axes)
    for box, colours in ((first, [(255, 0, 0), (0, 0, 255)]), (second, [(0, 0, 255), (255, 0, 0)])):
        row = len(picture) - int((box.y0 + box.y1) / 2)
        quarters = [int(box.x0 + box.width * part) for part in (0.25, 0.75)]
        assert [tuple(picture[row, column]) for column in quarters] == colours


def test_no_words_touch_and_none_stand_outside() -> None:
    names = ("Arnold_Schwarzenegger_the_Second", "$x^2$\tand_Bob")
    figure = draw_pairs([PicturePair((RED, BLUE), names, 1.0)] * 9, "Hardest", "of 9")
    height, width, _ = pixels(figure).shape
    boxes = [text.get_window_extent(figure.canvas.get_renderer()) for text in figure.texts]
    boxes += [axes.get_window_extent() for axes in figure.axes]
    for number, box in enumerate(boxes):
        assert 0 <= box.x0 < box.x1 <= width
        assert 0 <= box.y0 < box.y1 <= height
        assert not any(box.overlaps(other) for other in boxes[number + 1 :])
    texts = [text.get_text() for text in figure.texts]
    assert "Arnold_Schwarzenegg…e_Second" in texts


def test_wide_letters_are_cut_off_before_the_next_pair() -> None:
    figure = draw_pairs([PicturePair((RED, BLUE), ("W" * 40, "M" * 40), 1.0)] * 2, "", "")
    picture = pixels(figure)
    first, second = (axes.get_window_extent() for axes in figure.axes)
    assert (picture[:, int(first.x1) + 2 : int(second.x0) - 1] == 255).all()
    assert (picture[:, int(second.x1) + 2 :] == 255).all()
    assert (picture[int(len(picture) - first.y0) + 5 :, : int(first.x1)] < 128).any()


def test_where_there_is_none_a_note_says_so() -> None:
    figure = draw_pairs([], "Hardest false accepts", "0 of 12")
    assert "none" in [text.get_text() for text in figure.texts]
    assert pixels(figure).shape == (100, 460, 3)
