#include "coordinates.hpp"

#include <type_traits>

TORCHSTN_BEGIN

namespace {

// One row of a matrix at the pixels of a piece: the slow axes are added first, as the reference does.
template <class R>
TORCHSTN_INLINE void matrix_row(const double* row, int dims, const Piece& piece, R* __restrict to) {
  R base = static_cast<R>(row[dims]);
  if (dims == 3) base = base + static_cast<R>(row[2]) * static_cast<R>(piece.k);
  base = base + static_cast<R>(row[1]) * static_cast<R>(piece.i);
  const R step = static_cast<R>(row[0]);
  const auto start = static_cast<std::int32_t>(piece.j);
  const Int8 lanes = {0, 1, 2, 3, 4, 5, 6, 7};
  using V = typename Lanes<R>::Real;
  // Whole groups: what is written beyond the piece belongs to the next one, which comes later, or to nobody.
  for (int t = 0; t < piece.length; t += LANES)
    store(to + piece.at + t, base + step * __builtin_convertvector(lanes + (start + t), V));
}

template <class R>
void affine(const PixelGrid& g, std::int64_t n, const Tile& tile, Coordinates<R>& to) {
  const double* m = g.matrix(n);
  for (int p = 0; p < tile.pieces; ++p)
    for (int a = 0; a < g.grid.dims; ++a) matrix_row(m + 4 * a, g.grid.dims, tile.piece[p], to.axis[a]);
}

template <class R>
void projective(const PixelGrid& g, std::int64_t n, const Tile& tile, Coordinates<R>& to) {
  affine(g, n, tile, to);
  const int d = g.grid.dims;
  for (int p = 0; p < tile.pieces; ++p) matrix_row(g.matrix(n) + 4 * d, d, tile.piece[p], to.reciprocal);
  const int lanes = tile.groups * LANES;
  for (int a = 0; a < d; ++a)
    for (int t = 0; t < lanes; ++t) to.axis[a][t] = to.axis[a][t] / to.reciprocal[t];
  for (int t = 0; t < lanes; ++t) to.reciprocal[t] = R(1) / to.reciprocal[t];
}

// Sums of functions times offsets are made in float64, as the reference makes them.
struct Field {
  alignas(64) double axis[MAX_DIMS][BLOCK];
};

template <class R>
TORCHSTN_INLINE const R* offsets_of(const Grid& grid, std::int64_t n) {
  const std::int64_t from = grid.offsets_batch == 1 ? 0 : n * grid.functions * grid.dims;
  return static_cast<const R*>(grid.offsets) + from;
}

// Adds four functions at a time: the sums then go through memory a quarter as often.
template <class R, int D>
void stored_field(const Grid& grid, std::int64_t n, const Piece& piece, Field& field) {
  constexpr int AT_ONCE = 4;
  const R* offset = offsets_of<R>(grid, n);
  const std::int64_t pixels = grid.pixels();
  for (std::int64_t k = 0; k < grid.functions; k += AT_ONCE) {
    const R* f[AT_ONCE];
    double c[AT_ONCE][D];
    for (std::int64_t u = 0; u < AT_ONCE; ++u) {
      const bool real = k + u < grid.functions;
      f[u] = static_cast<const R*>(grid.values[0]) + (real ? k + u : k) * pixels + piece.pixel;
      for (int a = 0; a < D; ++a) c[u][a] = real ? static_cast<double>(offset[(k + u) * D + a]) : 0;
    }
    for (int t = 0; t < piece.length; ++t)
      for (int a = 0; a < D; ++a)
        field.axis[a][piece.at + t] +=
            (static_cast<double>(f[0][t]) * c[0][a] + static_cast<double>(f[1][t]) * c[1][a]) +
            (static_cast<double>(f[2][t]) * c[2][a] + static_cast<double>(f[3][t]) * c[3][a]);
  }
}

// The weight of function (k1, k2) of the slow axes at row (i, k) of the output.
template <class R>
TORCHSTN_INLINE double row_weight(const Grid& grid, std::int64_t k1, std::int64_t k2, const Piece& piece) {
  double w = static_cast<double>(static_cast<const R*>(grid.values[1])[k1 * grid.size[1] + piece.i]);
  if (grid.dims == 3) w *= static_cast<double>(static_cast<const R*>(grid.values[2])[k2 * grid.size[2] + piece.k]);
  return w;
}

template <class R, int D>
void separable_field(const PixelGrid& g, std::int64_t n, const Piece& piece, Field& field) {
  const Grid& grid = g.grid;
  const R* offset = offsets_of<R>(grid, n);
  for (std::int64_t k0 = 0; k0 < grid.count[0]; ++k0) {
    const std::int64_t low = g.first[0][k0], high = g.last[0][k0];
    const std::int64_t from = low > piece.j ? low - piece.j : 0;
    const std::int64_t to = high < piece.j + piece.length ? high - piece.j : piece.length;
    if (from >= to) continue;
    double c[D] = {};
    for (std::int64_t k2 = 0; k2 < grid.count[2]; ++k2)
      for (std::int64_t k1 = 0; k1 < grid.count[1]; ++k1) {
        const double w = row_weight<R>(grid, k1, k2, piece);
        if (w == 0) continue;
        const R* o = offset + ((k2 * grid.count[1] + k1) * grid.count[0] + k0) * D;
        for (int a = 0; a < D; ++a) c[a] += w * static_cast<double>(o[a]);
      }
    const R* f = static_cast<const R*>(grid.values[0]) + k0 * grid.size[0] + piece.j;
    for (int a = 0; a < D; ++a) {
      double* sum = field.axis[a] + piece.at;
      for (std::int64_t t = from; t < to; ++t) sum[t] += c[a] * static_cast<double>(f[t]);
    }
  }
}

template <class R, int D>
void with_basis(const PixelGrid& g, std::int64_t n, const Tile& tile, Coordinates<R>& to) {
  Field field;
  const int lanes = tile.groups * LANES;
  for (int a = 0; a < D; ++a)
    for (int t = 0; t < lanes; ++t) field.axis[a][t] = 0;
  for (int p = 0; p < tile.pieces; ++p) {
    if (g.grid.kind == GridKind::basis)
      stored_field<R, D>(g.grid, n, tile.piece[p], field);
    else
      separable_field<R, D>(g, n, tile.piece[p], field);
  }
  affine(g, n, tile, to);
  for (int a = 0; a < D; ++a) {
    const R half = static_cast<R>(g.extent(a) / 2);
    for (int t = 0; t < lanes; ++t) to.axis[a][t] = to.axis[a][t] + static_cast<R>(field.axis[a][t]) * half;
  }
}

// x and y side by side, a group at a time.
TORCHSTN_INLINE void separate_pairs(const float* row, const Piece& piece, Coordinates<float>& to) {
  int t = 0;
  for (; t + LANES <= piece.length; t += LANES) {
    Float8 a, b, x, y;
    load(a, row + 2 * t);
    load(b, row + 2 * t + LANES);
    separate(__builtin_shufflevector(a, b, 0, 1, 2, 3, 8, 9, 10, 11),
             __builtin_shufflevector(a, b, 4, 5, 6, 7, 12, 13, 14, 15), x, y);
    store(to.axis[0] + piece.at + t, x);
    store(to.axis[1] + piece.at + t, y);
  }
  for (; t < piece.length; ++t) {
    to.axis[0][piece.at + t] = row[2 * t];
    to.axis[1][piece.at + t] = row[2 * t + 1];
  }
}

// The points of a piece as they are, component by component.
template <class R, int D>
TORCHSTN_INLINE void read_piece(const Grid& grid, const R* points, const Piece& piece, Coordinates<R>& to) {
  const std::int64_t step = grid.points_stride[0], component = grid.component_stride;
  const R* row = points + piece.j * step + piece.i * grid.points_stride[1] + piece.k * grid.points_stride[2];
  // The next tile's: its rows are too short for the processor to see them coming.
  constexpr std::int64_t LINE = 64 / sizeof(R);
  const std::int64_t extent = step <= D ? piece.length * step : 0;
  for (int a = 0; a < (step == 1 ? D : 1); ++a)
    for (std::int64_t ahead = 0; ahead < extent; ahead += LINE)
      __builtin_prefetch(row + a * component + extent + ahead);
  if constexpr (D == 2 && std::is_same_v<R, float>) {
    if (component == 1 && step == 2) return separate_pairs(row, piece, to);
  }
  if (component == 1 && step == D) {
    for (int t = 0; t < piece.length; ++t)
      for (int a = 0; a < D; ++a) to.axis[a][piece.at + t] = row[D * t + a];
  } else if (step == 1) {
    for (int a = 0; a < D; ++a)
      for (int t = 0; t < piece.length; ++t) to.axis[a][piece.at + t] = row[a * component + t];
  } else {
    for (int a = 0; a < D; ++a)
      for (int t = 0; t < piece.length; ++t) to.axis[a][piece.at + t] = row[a * component + t * step];
  }
}

template <class R>
void read_points(const Grid& grid, std::int64_t n, const Tile& tile, Coordinates<R>& to) {
  const R* points = static_cast<const R*>(grid.points) + n * grid.points_batch_stride;
  for (int p = 0; p < tile.pieces; ++p) {
    if (grid.dims == 2)
      read_piece<R, 2>(grid, points, tile.piece[p], to);
    else
      read_piece<R, 3>(grid, points, tile.piece[p], to);
  }
}

template <class R>
void absolute(const PixelGrid& g, const Tile& tile, Coordinates<R>& to) {
  const int lanes = tile.groups * LANES;
  for (int a = 0; a < g.grid.dims; ++a) {
    R* x = to.axis[a];
    const R extent = static_cast<R>(g.extent(a));
    if (g.grid.align_corners)
      for (int t = 0; t < lanes; ++t) x[t] = (x[t] + R(1)) / R(2) * extent;
    else
      for (int t = 0; t < lanes; ++t) x[t] = ((x[t] + R(1)) * extent - R(1)) / R(2);
  }
}

template <class R>
void displacement(const PixelGrid& g, const Tile& tile, Coordinates<R>& to) {
  for (int a = 0; a < g.grid.dims; ++a) {
    const double scale = g.extent(a) / g.steps(a);
    const double shift =
        (scale * static_cast<double>(1 - g.grid.size[a]) + static_cast<double>(g.input[a] - 1)) / 2;
    const R step = static_cast<R>(scale), base = static_cast<R>(shift), half = static_cast<R>(g.extent(a) / 2);
    for (int p = 0; p < tile.pieces; ++p) {
      const Piece& piece = tile.piece[p];
      R* row = to.axis[a] + piece.at;
      if (a == 0) {
        const auto start = static_cast<std::int32_t>(piece.j);
        for (int t = 0; t < piece.length; ++t) row[t] = (static_cast<R>(start + t) * step + base) + row[t] * half;
      } else {
        const R index = static_cast<R>(a == 1 ? piece.i : piece.k) * step + base;
        for (int t = 0; t < piece.length; ++t) row[t] = index + row[t] * half;
      }
    }
  }
}

}  // namespace

template <class R>
void evaluate(const PixelGrid& g, std::int64_t n, const Tile& tile, Coordinates<R>& to) {
  switch (g.grid.kind) {
    case GridKind::matrix:
      return g.grid.projective ? projective(g, n, tile, to) : affine(g, n, tile, to);
    case GridKind::basis:
    case GridKind::separable:
      return g.grid.dims == 2 ? with_basis<R, 2>(g, n, tile, to) : with_basis<R, 3>(g, n, tile, to);
    case GridKind::absolute:
      read_points(g.grid, n, tile, to);
      return absolute(g, tile, to);
    case GridKind::displacement:
      read_points(g.grid, n, tile, to);
      return displacement(g, tile, to);
    case GridKind::pixels:
      return read_points(g.grid, n, tile, to);
  }
}

template <class R>
Reach find_reach(const BackwardJob& job, std::int64_t n, std::int64_t index) {
  constexpr R WIDEST_KERNEL = 2;  // pixels on either side
  const int slow = job.grid.grid.dims - 1;
  const std::int64_t length = job.grid.input[slow];
  Tile tile;
  Coordinates<R> at;
  job.tiling.tile(index, tile);
  evaluate(job.grid, n, tile, at);
  // Comparisons that NaN fails; points that are not finite read nowhere.
  R low = static_cast<R>(length), high = 0;
  bool inside = true;
  for (int p = 0; p < tile.pieces; ++p)
    for (int t = tile.piece[p].at; t < tile.piece[p].at + tile.piece[p].length; ++t) {
      const R x = at.axis[slow][t];
      low = x < low ? x : low;
      high = x > high ? x : high;
      inside &= x >= WIDEST_KERNEL && x < static_cast<R>(length) - WIDEST_KERNEL;
    }
  // What lies outside may be replaced by anything.
  if (!inside && !is_constant(job.padding)) return {0, length};
  const auto first = static_cast<std::int64_t>(low > WIDEST_KERNEL ? low - WIDEST_KERNEL : R(0));
  const auto last = high < static_cast<R>(length) ? static_cast<std::int64_t>(high + WIDEST_KERNEL) + 1 : length;
  return {first, last};
}

template Reach find_reach<float>(const BackwardJob&, std::int64_t, std::int64_t);
template Reach find_reach<double>(const BackwardJob&, std::int64_t, std::int64_t);
template void evaluate(const PixelGrid&, std::int64_t, const Tile&, Coordinates<float>&);
template void evaluate(const PixelGrid&, std::int64_t, const Tile&, Coordinates<double>&);

TORCHSTN_END
