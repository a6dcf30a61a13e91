// Gradients of coordinates, block by block, to gradients of the grid's parameters.

#include "coordinates.hpp"

TORCHSTN_BEGIN

namespace {

// Sums are made in eight lanes, whose order never changes, and go to float64 at the end of a stretch.
template <class V>
TORCHSTN_INLINE double total(const V& lanes) {
  double sum = 0;
  for (int u = 0; u < LANES; ++u) sum += static_cast<double>(lanes[u]);
  return sum;
}

template <class W>
TORCHSTN_INLINE void moments(const W* g, int length, std::int64_t j, double& sum, double& with_index) {
  using V = typename Lanes<W>::Real;
  V s = {}, x = {}, index = {0, 1, 2, 3, 4, 5, 6, 7};
  int t = 0;
  for (; t + LANES <= length; t += LANES, index += LANES) {
    V v;
    std::memcpy(&v, g + t, sizeof(v));
    s += v;
    x += v * index;
  }
  sum = total(s);
  with_index = total(x);
  for (; t < length; ++t) {
    sum += static_cast<double>(g[t]);
    with_index += static_cast<double>(g[t]) * t;
  }
  with_index += static_cast<double>(j) * sum;
}

template <class W, class F>
TORCHSTN_INLINE double product(const W* g, const F* f, std::int64_t length) {
  using V = typename Lanes<W>::Real;
  V s = {};
  std::int64_t t = 0;
  for (; t + LANES <= length; t += LANES) {
    V v, w;
    std::memcpy(&v, g + t, sizeof(v));
    for (int u = 0; u < LANES; ++u) w[u] = static_cast<W>(f[t + u]);
    s += v * w;
  }
  double sum = total(s);
  for (; t < length; ++t) sum += static_cast<double>(g[t]) * static_cast<double>(f[t]);
  return sum;
}

// Adds one row of the folded matrix's gradient.
template <class W>
void matrix_row(int dims, const Tile& tile, const W* g, double* row) {
  for (int p = 0; p < tile.pieces; ++p) {
    const Piece& piece = tile.piece[p];
    double sum, with_index;
    moments(g + piece.at, piece.length, piece.j, sum, with_index);
    row[0] += with_index;
    row[1] += static_cast<double>(piece.i) * sum;
    if (dims == 3) row[2] += static_cast<double>(piece.k) * sum;
    row[dims] += sum;
  }
}

// Gradients of quotients to gradients of numerators, in place, and of the denominator.
template <class R, class W>
void divide(int dims, int lanes, const Coordinates<R>& at, W (&g)[MAX_DIMS][BLOCK], W* denominator) {
  for (int t = 0; t < lanes; ++t) {
    W down = 0;
    bool reads = false;
    for (int a = 0; a < dims; ++a) reads |= g[a][t] != W(0);
    for (int a = 0; a < dims; ++a) {
      const W scaled = reads ? g[a][t] * static_cast<W>(at.reciprocal[t]) : W(0);
      down -= reads ? scaled * static_cast<W>(at.axis[a][t]) : W(0);
      g[a][t] = scaled;
    }
    denominator[t] = down;
  }
}

// Sums over all of a tile in eight lanes: lanes are added up once a function, not once a stretch of a row.
template <class R, class W, int D>
void stored_offsets(const Grid& grid, const Tile& tile, const W (&g)[MAX_DIMS][BLOCK], double* to) {
  using V = typename Lanes<W>::Real;
  for (std::int64_t k = 0; k < grid.functions; ++k) {
    const R* values = static_cast<const R*>(grid.values[0]) + k * grid.pixels();
    V sums[D] = {};
    double rest[D] = {};
    for (int group = 0, at = 0; group < tile.groups; ++group, at += LANES) {
      const R* f = values + tile.pixel[group];
      if (tile.valid[group] == LANES) {
        V v;
        for (int u = 0; u < LANES; ++u) v[u] = static_cast<W>(f[u]);
        for (int a = 0; a < D; ++a) {
          V gradient;
          load(gradient, g[a] + at);
          sums[a] += gradient * v;
        }
      } else {
        for (int u = 0; u < tile.valid[group]; ++u)
          for (int a = 0; a < D; ++a) rest[a] += static_cast<double>(g[a][at + u]) * static_cast<double>(f[u]);
      }
    }
    for (int a = 0; a < D; ++a) to[k * D + a] += total(sums[a]) + rest[a];
  }
}

template <class R, class W>
void separable_offsets(const PixelGrid& pixel_grid, const Piece& piece, const W (&g)[MAX_DIMS][BLOCK], double* to) {
  const Grid& grid = pixel_grid.grid;
  const auto* along_y = static_cast<const R*>(grid.values[1]);
  const auto* along_z = static_cast<const R*>(grid.values[2]);
  for (std::int64_t k0 = 0; k0 < grid.count[0]; ++k0) {
    const std::int64_t low = pixel_grid.first[0][k0], high = pixel_grid.last[0][k0];
    const std::int64_t from = low > piece.j ? low - piece.j : 0;
    const std::int64_t end = high < piece.j + piece.length ? high - piece.j : piece.length;
    if (from >= end) continue;
    const R* f = static_cast<const R*>(grid.values[0]) + k0 * grid.size[0] + piece.j + from;
    double sums[MAX_DIMS];
    for (int a = 0; a < grid.dims; ++a) sums[a] = product(g[a] + piece.at + from, f, end - from);
    for (std::int64_t k2 = 0; k2 < grid.count[2]; ++k2)
      for (std::int64_t k1 = 0; k1 < grid.count[1]; ++k1) {
        double w = static_cast<double>(along_y[k1 * grid.size[1] + piece.i]);
        if (grid.dims == 3) w *= static_cast<double>(along_z[k2 * grid.size[2] + piece.k]);
        if (w == 0) continue;
        double* o = to + ((k2 * grid.count[1] + k1) * grid.count[0] + k0) * grid.dims;
        for (int a = 0; a < grid.dims; ++a) o[a] += w * sums[a];
      }
  }
}

template <class R, class W>
void points(const BackwardJob& job, const Part& part, const Tile& tile, const W (&g)[MAX_DIMS][BLOCK]) {
  const PixelGrid& pixel_grid = job.grid;
  const Grid& grid = pixel_grid.grid;
  const int d = grid.dims;
  const std::int64_t n = grid.batch == 1 ? 0 : part.n;
  R* image = static_cast<R*>(job.grad_grid.points) + n * grid.pixels() * d;
  for (int a = 0; a < d; ++a) {
    const R scale = grid.kind == GridKind::pixels ? R(1) : static_cast<R>(pixel_grid.extent(a) / 2);
    for (int p = 0; p < tile.pieces; ++p) {
      const Piece& piece = tile.piece[p];
      R* to = image + piece.pixel * d + a;
      for (int t = 0; t < piece.length; ++t) {
        const R value = static_cast<R>(g[a][piece.at + t]) * scale;
        to[t * d] = part.accumulate_points ? to[t * d] + value : value;
      }
    }
  }
}

}  // namespace

template <class R, class W>
void reduce(const BackwardJob& job, const Part& part, const Tile& tile, const Coordinates<R>& at,
            W (&g)[MAX_DIMS][BLOCK]) {
  const Grid& grid = job.grid.grid;
  if (job.grad_grid.points != nullptr) return points<R>(job, part, tile, g);
  const int d = grid.dims;
  if (grid.projective) {
    alignas(64) W denominator[BLOCK];
    divide(d, tile.groups * LANES, at, g, denominator);
    matrix_row(d, tile, denominator, part.partial + d * (d + 1));
  }
  if (job.grad_grid.matrix != nullptr)
    for (int a = 0; a < d; ++a) matrix_row(d, tile, g[a], part.partial + a * (d + 1));
  if (job.grad_grid.offsets == nullptr) return;
  double* to = part.partial + grid.rows() * (d + 1);
  if (grid.kind == GridKind::separable) {
    for (int p = 0; p < tile.pieces; ++p) separable_offsets<R>(job.grid, tile.piece[p], g, to);
  } else if (d == 2) {
    stored_offsets<R, W, 2>(grid, tile, g, to);
  } else {
    stored_offsets<R, W, 3>(grid, tile, g, to);
  }
}

template void reduce(const BackwardJob&, const Part&, const Tile&, const Coordinates<float>&,
                     float (&)[MAX_DIMS][BLOCK]);
template void reduce(const BackwardJob&, const Part&, const Tile&, const Coordinates<double>&,
                     float (&)[MAX_DIMS][BLOCK]);
template void reduce(const BackwardJob&, const Part&, const Tile&, const Coordinates<double>&,
                     double (&)[MAX_DIMS][BLOCK]);

TORCHSTN_END
