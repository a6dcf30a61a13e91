#include "coordinates.hpp"

TORCHSTN_BEGIN

namespace {

// One row of a matrix at output pixels (j.., i, k): the slow axes are added first, as the reference does.
template <class R>
TORCHSTN_INLINE void matrix_row(const double* row, int dims, int length, std::int64_t j, std::int64_t i,
                                std::int64_t k, R* __restrict to) {
  R base = static_cast<R>(row[dims]);
  if (dims == 3) base = base + static_cast<R>(row[2]) * static_cast<R>(k);
  base = base + static_cast<R>(row[1]) * static_cast<R>(i);
  const R step = static_cast<R>(row[0]);
  const auto start = static_cast<std::int32_t>(j);
  for (int t = 0; t < length; ++t) to[t] = base + step * static_cast<R>(start + t);
}

template <class R>
void affine(const PixelGrid& g, std::int64_t n, std::int64_t first, int count, Coordinates<R>& to) {
  const double* m = g.matrix(n);
  const int d = g.grid.dims;
  for_each_row(g.grid.size, first, count,
               [&](int at, int length, std::int64_t j, std::int64_t i, std::int64_t k) {
                 for (int a = 0; a < d; ++a) matrix_row(m + 4 * a, d, length, j, i, k, to.axis[a] + at);
               });
}

template <class R>
void projective(const PixelGrid& g, std::int64_t n, std::int64_t first, int count, Coordinates<R>& to) {
  affine(g, n, first, count, to);
  const double* m = g.matrix(n);
  const int d = g.grid.dims;
  for_each_row(g.grid.size, first, count,
               [&](int at, int length, std::int64_t j, std::int64_t i, std::int64_t k) {
                 matrix_row(m + 4 * d, d, length, j, i, k, to.reciprocal + at);
               });
  for (int a = 0; a < d; ++a)
    for (int t = 0; t < count; ++t) to.axis[a][t] = to.axis[a][t] / to.reciprocal[t];
  for (int t = 0; t < count; ++t) to.reciprocal[t] = R(1) / to.reciprocal[t];
}

// Sums of functions times offsets are made in float64, as the reference makes them.
struct Field {
  alignas(64) double axis[MAX_DIMS][ROOM];
};

template <class R>
TORCHSTN_INLINE const R* offsets_of(const Grid& grid, std::int64_t n) {
  const std::int64_t from = grid.offsets_batch == 1 ? 0 : n * grid.functions * grid.dims;
  return static_cast<const R*>(grid.offsets) + from;
}

template <class R, int D>
void stored_field(const Grid& grid, std::int64_t n, std::int64_t first, int count, Field& field) {
  const R* offset = offsets_of<R>(grid, n);
  const R* values = static_cast<const R*>(grid.values[0]) + first;
  const std::int64_t pixels = grid.pixels();
  for (int a = 0; a < D; ++a)
    for (int t = 0; t < count; ++t) field.axis[a][t] = 0;
  std::int64_t k = 0;
  for (; k + 4 <= grid.functions; k += 4) {
    const R* f = values + k * pixels;
    double c[4][D];
    for (int u = 0; u < 4; ++u)
      for (int a = 0; a < D; ++a) c[u][a] = static_cast<double>(offset[(k + u) * D + a]);
    for (int t = 0; t < count; ++t) {
      const double v0 = static_cast<double>(f[t]), v1 = static_cast<double>(f[pixels + t]);
      const double v2 = static_cast<double>(f[2 * pixels + t]), v3 = static_cast<double>(f[3 * pixels + t]);
      for (int a = 0; a < D; ++a) field.axis[a][t] += (v0 * c[0][a] + v1 * c[1][a]) + (v2 * c[2][a] + v3 * c[3][a]);
    }
  }
  for (; k < grid.functions; ++k) {
    const R* f = values + k * pixels;
    for (int a = 0; a < D; ++a) {
      const double c = static_cast<double>(offset[k * D + a]);
      for (int t = 0; t < count; ++t) field.axis[a][t] += c * static_cast<double>(f[t]);
    }
  }
}

// The weight of function (k1, k2) of the slow axes at row (i, k) of the output.
template <class R>
TORCHSTN_INLINE double row_weight(const Grid& grid, std::int64_t k1, std::int64_t k2, std::int64_t i,
                                  std::int64_t k) {
  double w = static_cast<double>(static_cast<const R*>(grid.values[1])[k1 * grid.size[1] + i]);
  if (grid.dims == 3) w *= static_cast<double>(static_cast<const R*>(grid.values[2])[k2 * grid.size[2] + k]);
  return w;
}

template <class R, int D>
void separable_row(const PixelGrid& g, std::int64_t n, int at, int length, std::int64_t j, std::int64_t i,
                   std::int64_t k, Field& field) {
  const Grid& grid = g.grid;
  const R* offset = offsets_of<R>(grid, n);
  for (int a = 0; a < D; ++a)
    for (int t = 0; t < length; ++t) field.axis[a][at + t] = 0;
  for (std::int64_t k0 = 0; k0 < grid.count[0]; ++k0) {
    const std::int64_t low = g.first[0][k0], high = g.last[0][k0];
    const std::int64_t from = low > j ? low : j, to = high < j + length ? high : j + length;
    if (from >= to) continue;
    double c[D] = {};
    for (std::int64_t k2 = 0; k2 < grid.count[2]; ++k2)
      for (std::int64_t k1 = 0; k1 < grid.count[1]; ++k1) {
        const double w = row_weight<R>(grid, k1, k2, i, k);
        if (w == 0) continue;
        const R* o = offset + ((k2 * grid.count[1] + k1) * grid.count[0] + k0) * D;
        for (int a = 0; a < D; ++a) c[a] += w * static_cast<double>(o[a]);
      }
    const R* f = static_cast<const R*>(grid.values[0]) + k0 * grid.size[0];
    for (int a = 0; a < D; ++a) {
      double* sum = field.axis[a] + at - j;
      for (std::int64_t t = from; t < to; ++t) sum[t] += c[a] * static_cast<double>(f[t]);
    }
  }
}

template <class R, int D>
void with_basis(const PixelGrid& g, std::int64_t n, std::int64_t first, int count, Coordinates<R>& to) {
  Field field;
  if (g.grid.kind == GridKind::basis)
    stored_field<R, D>(g.grid, n, first, count, field);
  else
    for_each_row(g.grid.size, first, count,
                 [&](int at, int length, std::int64_t j, std::int64_t i, std::int64_t k) {
                   separable_row<R, D>(g, n, at, length, j, i, k, field);
                 });
  affine(g, n, first, count, to);
  for (int a = 0; a < D; ++a) {
    const R half = static_cast<R>(g.extent(a) / 2);
    for (int t = 0; t < count; ++t) to.axis[a][t] = to.axis[a][t] + static_cast<R>(field.axis[a][t]) * half;
  }
}

// Points as they are, component by component.
template <class R>
void read_points(const Grid& grid, std::int64_t n, std::int64_t first, int count, Coordinates<R>& to) {
  const int d = grid.dims;
  const R* points = static_cast<const R*>(grid.points) + n * grid.points_batch_stride;
  for_each_row(grid.size, first, count, [&](int at, int length, std::int64_t j, std::int64_t i, std::int64_t k) {
    const R* row = points + j * grid.points_stride[0] + i * grid.points_stride[1] + k * grid.points_stride[2];
    if (d == 2 && grid.component_stride == 1 && grid.points_stride[0] == 2) {
      for (int t = 0; t < length; ++t) {
        to.axis[0][at + t] = row[2 * t];
        to.axis[1][at + t] = row[2 * t + 1];
      }
    } else if (d == 3 && grid.component_stride == 1 && grid.points_stride[0] == 3) {
      for (int t = 0; t < length; ++t) {
        to.axis[0][at + t] = row[3 * t];
        to.axis[1][at + t] = row[3 * t + 1];
        to.axis[2][at + t] = row[3 * t + 2];
      }
    } else {
      for (int a = 0; a < d; ++a)
        for (int t = 0; t < length; ++t)
          to.axis[a][at + t] = row[a * grid.component_stride + t * grid.points_stride[0]];
    }
  });
}

template <class R>
void absolute(const PixelGrid& g, int count, Coordinates<R>& to) {
  for (int a = 0; a < g.grid.dims; ++a) {
    R* x = to.axis[a];
    const R extent = static_cast<R>(g.extent(a));
    if (g.grid.align_corners)
      for (int t = 0; t < count; ++t) x[t] = (x[t] + R(1)) / R(2) * extent;
    else
      for (int t = 0; t < count; ++t) x[t] = ((x[t] + R(1)) * extent - R(1)) / R(2);
  }
}

template <class R>
void displacement(const PixelGrid& g, std::int64_t first, int count, Coordinates<R>& to) {
  for (int a = 0; a < g.grid.dims; ++a) {
    const double scale = g.extent(a) / g.steps(a);
    const double shift =
        (scale * static_cast<double>(1 - g.grid.size[a]) + static_cast<double>(g.input[a] - 1)) / 2;
    const R step = static_cast<R>(scale), base = static_cast<R>(shift), half = static_cast<R>(g.extent(a) / 2);
    R* const x = to.axis[a];
    for_each_row(g.grid.size, first, count,
                 [&](int at, int length, std::int64_t j, std::int64_t i, std::int64_t k) {
                   R* row = x + at;
                   const auto start = static_cast<std::int32_t>(j);
                   if (a == 0) {
                     for (int t = 0; t < length; ++t)
                       row[t] = (static_cast<R>(start + t) * step + base) + row[t] * half;
                   } else {
                     const R index = static_cast<R>(a == 1 ? i : k) * step + base;
                     for (int t = 0; t < length; ++t) row[t] = index + row[t] * half;
                   }
                 });
  }
}

}  // namespace

template <class R>
void evaluate(const PixelGrid& g, std::int64_t n, std::int64_t first, int count, Coordinates<R>& to) {
  switch (g.grid.kind) {
    case GridKind::matrix:
      return g.grid.projective ? projective(g, n, first, count, to) : affine(g, n, first, count, to);
    case GridKind::basis:
    case GridKind::separable:
      return g.grid.dims == 2 ? with_basis<R, 2>(g, n, first, count, to) : with_basis<R, 3>(g, n, first, count, to);
    case GridKind::absolute:
      read_points(g.grid, n, first, count, to);
      return absolute(g, count, to);
    case GridKind::displacement:
      read_points(g.grid, n, first, count, to);
      return displacement(g, first, count, to);
    case GridKind::pixels:
      return read_points(g.grid, n, first, count, to);
  }
}

template void evaluate(const PixelGrid&, std::int64_t, std::int64_t, int, Coordinates<float>&);
template void evaluate(const PixelGrid&, std::int64_t, std::int64_t, int, Coordinates<double>&);

TORCHSTN_END
