"""The figures by which a model is chosen and reported, on cases small enough to count by hand."""

import numpy as np
import pytest

from training.metrics import (
    calibration_error,
    class_figures,
    confusion_matrix,
    fit_temperature,
    interval,
    macro_f1,
    macro_f1_interval,
    sharpen,
)


def test_figures_of_a_matrix_counted_by_hand():
    labels, predicted = np.array([0, 0, 0, 1, 1, 2]), np.array([0, 0, 1, 1, 1, 0])
    matrix = confusion_matrix(labels, predicted, 3)
    assert matrix.tolist() == [[2, 1, 0], [0, 2, 0], [1, 0, 0]]
    first, second, third = class_figures(matrix)
    assert (first.precision, first.recall, first.faces) == pytest.approx((2 / 3, 2 / 3, 3))
    assert second.f1 == pytest.approx(0.8)
    assert third.f1 == 0
    assert macro_f1(matrix) == pytest.approx((2 / 3 + 0.8 + 0) / 3)


def test_macro_f1_leaves_out_classes_that_do_not_occur():
    assert macro_f1(np.array([[3, 0, 0], [0, 0, 0], [0, 0, 5]])) == 1


def test_calibration_error_is_the_gap_between_score_and_share_right():
    labels = np.array([0, 0, 0, 1])
    scores = np.array([[0.95, 0.05]] * 4, np.float32)
    assert calibration_error(labels, scores) == pytest.approx(0.2, abs=1e-6)


def test_few_faces_have_a_wide_interval():
    assert interval(10, 10) == pytest.approx([0.7225, 1.0], abs=1e-4)
    assert interval(9, 10) == pytest.approx([0.5958, 0.9821], abs=1e-4)
    assert interval(0, 0)[1] <= 1


def test_macro_f1_has_an_interval_that_narrows_with_the_faces():
    matrix = np.array([[90, 10], [5, 95]])
    low, high = macro_f1_interval(matrix)
    assert low < macro_f1(matrix) < high
    assert (high - low) / 3 > np.subtract(*macro_f1_interval(100 * matrix)[::-1])
    assert macro_f1_interval(0 * matrix) == [0, 0]


def test_fitted_temperature_undoes_overconfidence():
    random = np.random.default_rng(0)
    honest = random.dirichlet([1, 1, 1], 4000).astype(np.float32)
    labels = np.array([random.choice(3, p=row / row.sum()) for row in honest.astype(float)])
    boasting = sharpen(honest, 1 / 3)
    temperature = fit_temperature(labels, boasting)
    assert temperature == pytest.approx(3, rel=0.1)
    assert calibration_error(labels, sharpen(boasting, temperature)) < 0.03
