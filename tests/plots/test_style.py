import numpy as np

from facenet_lit.plots.style import legend, name_axes, new_axes, pixels


def test_a_plot_is_small_and_its_words_lie_within_it() -> None:
    figure, axes = new_axes("A title", "of something")
    axes.plot([0, 1], [0, 1], label="a line")
    axes.set(xlim=(0, 1), ylim=(0, 1))
    name_axes(axes, "across", "up")
    legend(figure, axes)
    picture = pixels(figure)
    assert picture.shape == (440, 460, 3)
    assert picture.dtype == np.uint8
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 50
    renderer = figure.canvas.get_renderer()
    words = [
        *figure.texts,
        axes.xaxis.label,
        axes.yaxis.label,
        *axes.get_xticklabels(),
        *axes.get_yticklabels(),
    ]
    for text in words:
        box = text.get_window_extent(renderer)
        assert box.x0 >= 0, text
        assert box.y0 >= 0, text
        assert box.x1 <= 460, text
        assert box.y1 <= 440, text
    box = figure.legends[0].get_window_extent(renderer)
    assert 0 <= box.y0 < box.y1 < axes.xaxis.label.get_window_extent(renderer).y0
    # Neither title is written over the other.
    title, about = (text.get_window_extent(renderer) for text in figure.texts)
    assert title.y0 > about.y1


def test_pixels_are_a_copy_in_the_order_of_colours() -> None:
    figure, axes = new_axes("")
    axes.set_facecolor("red")
    picture = pixels(figure)
    assert picture.flags.writeable
    assert picture[200, 400].tolist()[0] > picture[200, 400].tolist()[2]
