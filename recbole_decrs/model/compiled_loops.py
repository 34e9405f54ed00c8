"""Loops over the features of a batch by functions that numba compiles, for tables on the processor.

A formula of torch goes over memory once an operation; these go over each row of a table once forward and once backward.
:mod:`recbole_decrs.model.compiled_sides` calls them, docs/fast-paths.md says why they are right.
"""

from __future__ import annotations

import numba
import numpy as np

_compile = numba.njit(cache=True, error_model="numpy", nogil=True)


@_compile
def add_features(table, first_table, rows, weights, first_weights, ids, total, squares, first_order):
    """Add the weighted rows of each sample, and their squares, to its sums: each is a feature of its own.

    Args:
        table, first_table: shapes [R, H] and [R, 1].
        rows, weights, first_weights: of all users or items, shape [N, L]; places of weight 0 are padding.
        ids: of the samples, shape [n], each within N.
        total, squares, first_order: what is added to, shapes [n, H], [n, H] and [n].
    """
    for sample in range(len(ids)):
        one = ids[sample]
        for place in range(rows.shape[1]):
            row, weight = rows[one, place], weights[one, place]
            first_order[sample] += first_weights[one, place] * first_table[row, 0]
            if weight != 0:
                for h in range(table.shape[1]):
                    value = weight * table[row, h]
                    total[sample, h] += value
                    squares[sample, h] += value * value


@_compile
def add_pooled(table, first_table, rows, weights, first_weights, ids, total, squares, first_order):
    """Add the sum of the weighted rows of each sample, one feature, and its square; see :func:`add_features`."""
    field = np.empty(table.shape[1], table.dtype)
    for sample in range(len(ids)):
        one = ids[sample]
        _sum_of_rows(table, rows, weights, one, field)
        for place in range(rows.shape[1]):
            first_order[sample] += first_weights[one, place] * first_table[rows[one, place], 0]
        for h in range(table.shape[1]):
            total[sample, h] += field[h]
            squares[sample, h] += field[h] * field[h]


@_compile
def _sum_of_rows(table, rows, weights, one, field):
    field[:] = 0
    for place in range(rows.shape[1]):
        row, weight = rows[one, place], weights[one, place]
        if weight != 0:
            for h in range(table.shape[1]):
                field[h] += weight * table[row, h]


@_compile
def within_from(total, squares):
    """Turn sums of squares into sums over pairs of products, (total^2 - squares) / 2, in their place: [n, H]."""
    for sample in range(len(total)):
        for h in range(total.shape[1]):
            squares[sample, h] = 0.5 * (total[sample, h] * total[sample, h] - squares[sample, h])


@_compile
def features_backward(table, rows, weights, first_weights, ids, total, gradients, of_first_order, slope, first_slope):
    """Add the gradients of :func:`add_features` to those of the tables, by d within / d x = total - x.

    Args:
        table, rows, weights, first_weights, ids, total: as there, the total with all features.
        gradients: by the total and by the bi-interaction within the side, shape [n, H] each.
        of_first_order: the gradient by the first order, shape [n].
        slope, first_slope: the gradients of the tables, which are added to, shapes [R, H] and [R, 1].
    """
    of_total, of_within = gradients
    for sample in range(len(ids)):
        one = ids[sample]
        for place in range(rows.shape[1]):
            row, weight = rows[one, place], weights[one, place]
            first_slope[row, 0] += first_weights[one, place] * of_first_order[sample]
            if weight != 0:
                for h in range(table.shape[1]):
                    others = total[sample, h] - weight * table[row, h]
                    slope[row, h] += weight * (of_total[sample, h] + of_within[sample, h] * others)


@_compile
def pooled_backward(table, rows, weights, first_weights, ids, total, gradients, of_first_order, slope, first_slope):
    """Add the gradients of :func:`add_pooled` to those of the tables. See :func:`features_backward`."""
    of_total, of_within = gradients
    field = np.empty(table.shape[1], table.dtype)
    for sample in range(len(ids)):
        one = ids[sample]
        _sum_of_rows(table, rows, weights, one, field)
        for h in range(table.shape[1]):
            field[h] = of_total[sample, h] + of_within[sample, h] * (total[sample, h] - field[h])
        for place in range(rows.shape[1]):
            row, weight = rows[one, place], weights[one, place]
            first_slope[row, 0] += first_weights[one, place] * of_first_order[sample]
            if weight != 0:
                for h in range(table.shape[1]):
                    slope[row, h] += weight * field[h]


@numba.njit(inline="always", error_model="numpy")
def _step(table, accumulator, row, h, gradient, rate, eps, squares):
    total = accumulator[row, h] + gradient * gradient
    value = table[row, h] - rate * gradient / (np.sqrt(total) + eps)
    table[row, h], accumulator[row, h] = value, total
    squares[h] += value * value


@_compile
def adagrad(table, slope, accumulator, multiple, rate, eps, marks, squares):
    """Update a table by Adagrad, set its gradient to 0, and add up the squares of what it has become, in one pass.

    Args:
        table, slope, accumulator: the table, its gradient and Adagrad's sums of squares, shape [R, H] each.
        multiple: the gradient is ``slope + multiple * table``.
        rate, eps: Adagrad's step is ``rate * gradient / (sqrt(sum of squares) + eps)``.
        marks: True for the rows whose ``slope`` can be other than 0, the others are not read; shape [R]. Set to False.
        squares: what the squares of each column are added to, shape [H], float64.
    """
    for row in range(table.shape[0]):
        if marks[row]:
            marks[row] = False
            for h in range(table.shape[1]):
                gradient = slope[row, h] + multiple * table[row, h]
                slope[row, h] = 0
                _step(table, accumulator, row, h, gradient, rate, eps, squares)
        else:
            for h in range(table.shape[1]):
                _step(table, accumulator, row, h, multiple * table[row, h], rate, eps, squares)
