// The order of operations is that of grid/matrix.py, each rounded to the coordinates' type: the identity at
// equal sizes then lands on whole numbers exactly, and both backends read at the same coordinates to the bit.

#include "fold.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace torchstn {

namespace {

template <class R>
void fold(const PixelGrid& g, const R* matrix, double* folded) {
  const int d = g.grid.dims;
  const auto at = [&](int r, int c) { return matrix[r * (d + 1) + c]; };
  const auto back = [&](int c) { return static_cast<R>(1 - g.grid.size[c]); };
  R denominator[MAX_DIMS + 1] = {};
  if (g.grid.projective) {
    R shift = 0;
    for (int c = 0; c < d; ++c) {
      denominator[c] = at(d, c) * R(2) / static_cast<R>(g.steps(c));
      const R term = denominator[c] * back(c) / R(2);
      shift = c == 0 ? term : shift + term;
    }
    denominator[d] = shift + at(d, d);
    for (int c = 0; c <= d; ++c) folded[d * 4 + c] = static_cast<double>(denominator[c]);
  }
  for (int r = 0; r < d; ++r) {
    R row[MAX_DIMS + 1];
    R shift = 0;
    for (int c = 0; c < d; ++c) {
      row[c] = at(r, c) * static_cast<R>(g.extent(r) / g.steps(c));
      const R term = row[c] * back(c);
      shift = c == 0 ? term : shift + term;
    }
    shift = shift + at(r, d) * static_cast<R>(g.extent(r));
    const double centre = static_cast<double>(g.input[r] - 1);
    if (g.grid.projective) {
      const R half = static_cast<R>(centre / 2);
      for (int c = 0; c < d; ++c) row[c] = row[c] + denominator[c] * half;
      row[d] = shift / R(2) + denominator[d] * half;
    } else {
      row[d] = (shift + static_cast<R>(centre)) / R(2);
    }
    for (int c = 0; c <= d; ++c) folded[r * 4 + c] = static_cast<double>(row[c]);
  }
}

template <class R>
void support(const Grid& grid, int axis, std::vector<std::int32_t>& first, std::vector<std::int32_t>& last) {
  const auto* values = static_cast<const R*>(grid.values[axis]);
  const auto length = grid.size[axis];
  for (std::int64_t k = 0; k < grid.count[axis]; ++k) {
    std::int64_t low = 0, high = length;
    while (low < length && values[k * length + low] == R(0)) ++low;
    while (high > low && values[k * length + high - 1] == R(0)) --high;
    first.push_back(static_cast<std::int32_t>(low));
    last.push_back(static_cast<std::int32_t>(high));
  }
}

// A sum over all functions is not finite if one offset is not, wherever its function is zero.
template <class R>
bool finite_offsets(const Grid& grid, std::int64_t n) {
  const std::int64_t size = grid.functions * grid.dims;
  const auto* offsets = static_cast<const R*>(grid.offsets) + (grid.offsets_batch == 1 ? 0 : n * size);
  return std::all_of(offsets, offsets + size, [](R value) { return std::isfinite(value); });
}

// The transpose of `fold`: gradients of the folded matrix to gradients of the matrix.
void unfold(const PixelGrid& g, const double* folded, double* matrix) {
  const int d = g.grid.dims;
  const auto in = [&](int r, int c) { return folded[r * (d + 1) + c]; };
  const auto back = [&](int c) { return static_cast<double>(1 - g.grid.size[c]) / 2; };
  double denominator[MAX_DIMS + 1] = {};
  if (g.grid.projective)
    for (int c = 0; c <= d; ++c) denominator[c] = in(d, c);
  for (int r = 0; r < d; ++r) {
    for (int c = 0; c < d; ++c) matrix[r * (d + 1) + c] = g.extent(r) / g.steps(c) * (in(r, c) + back(c) * in(r, d));
    matrix[r * (d + 1) + d] = g.extent(r) / 2 * in(r, d);
    const double half = static_cast<double>(g.input[r] - 1) / 2;
    for (int c = 0; c <= d; ++c) denominator[c] += half * in(r, c);
  }
  if (!g.grid.projective) return;
  for (int c = 0; c < d; ++c) matrix[d * (d + 1) + c] = 2 / g.steps(c) * (denominator[c] + back(c) * denominator[d]);
  matrix[d * (d + 1) + d] = denominator[d];
}

// Writes sums over the batch, or one by one, in the parameter's type.
template <class R>
void store(const std::vector<double>& values, std::int64_t batch, std::int64_t count, std::int64_t kept, void* to) {
  auto* out = static_cast<R*>(to);
  for (std::int64_t e = 0; e < count; ++e) {
    for (std::int64_t n = 0; n < kept; ++n) {
      double total = values[static_cast<std::size_t>(n * count + e)];
      if (kept == 1)
        for (std::int64_t m = 1; m < batch; ++m) total += values[static_cast<std::size_t>(m * count + e)];
      out[n * count + e] = static_cast<R>(total);
    }
  }
}

void store_as(bool wide, const std::vector<double>& values, std::int64_t batch, std::int64_t count,
              std::int64_t kept, void* to) {
  if (wide)
    store<double>(values, batch, count, kept, to);
  else
    store<float>(values, batch, count, kept, to);
}

}  // namespace

FoldedGrid::FoldedGrid(const Grid& grid, const Image& image) {
  grid_.grid = grid;
  std::copy(image.size, image.size + MAX_DIMS, grid_.input);
  if (grid.has_matrix()) {
    matrices_.assign(static_cast<std::size_t>(grid.batch) * 16, 0.0);
    grid_.matrices = matrices_.data();
    const std::int64_t size = grid.rows() * (grid.dims + 1);
    for (std::int64_t n = 0; n < grid.batch; ++n) {
      const std::int64_t from = grid.matrix_batch == 1 ? 0 : n * size;
      double* folded = matrices_.data() + n * 16;
      if (grid.wide)
        fold(grid_, static_cast<const double*>(grid.matrix) + from, folded);
      else
        fold(grid_, static_cast<const float*>(grid.matrix) + from, folded);
      if (grid.kind == GridKind::separable && !(grid.wide ? finite_offsets<double>(grid, n) : finite_offsets<float>(grid, n)))
        std::fill(folded, folded + 16, std::numeric_limits<double>::quiet_NaN());
    }
  }
  if (grid.kind != GridKind::separable) return;
  for (int axis = 0; axis < grid.dims; ++axis) {
    if (grid.wide)
      support<double>(grid, axis, first_[axis], last_[axis]);
    else
      support<float>(grid, axis, first_[axis], last_[axis]);
    grid_.first[axis] = first_[axis].data();
    grid_.last[axis] = last_[axis].data();
  }
}

std::int64_t partial_size(const Grid& grid) {
  if (!grid.has_matrix()) return 0;
  return grid.rows() * (grid.dims + 1) + grid.functions * grid.dims;
}

void unfold_gradient(const PixelGrid& g, std::int64_t batch, const double* sums, const GridGradient& gradient) {
  const Grid& grid = g.grid;
  const std::int64_t size = partial_size(grid);
  const std::int64_t cells = grid.rows() * (grid.dims + 1);
  const std::int64_t rest = size - cells;
  if (gradient.matrix != nullptr) {
    std::vector<double> values(static_cast<std::size_t>(batch * cells));
    for (std::int64_t n = 0; n < batch; ++n) unfold(g, sums + n * size, values.data() + n * cells);
    store_as(grid.wide, values, batch, cells, grid.matrix_batch, gradient.matrix);
  }
  if (gradient.offsets != nullptr) {
    std::vector<double> values(static_cast<std::size_t>(batch * rest));
    for (std::int64_t n = 0; n < batch; ++n)
      for (std::int64_t e = 0; e < rest; ++e)
        values[static_cast<std::size_t>(n * rest + e)] =
            sums[n * size + cells + e] * (g.extent(static_cast<int>(e % grid.dims)) / 2);
    store_as(grid.wide, values, batch, rest, grid.offsets_batch, gradient.offsets);
  }
}

}  // namespace torchstn
