// Rows of a tile cut down to where they may read. Where 28 x 28 pixels are drawn turned on a canvas of 42 x 42, more
// than half of the canvas's pixels read nothing but the constant outside, and an affine map says beforehand which.
#pragma once

#include "padded.hpp"

TORCHSTN_BEGIN

template <int D, class K>
class Clip {
 public:
  // Of an affine map of batch entry n, where pixels outside are a constant; else nothing is ever cut.
  Clip(const PixelGrid& grid, std::int64_t n, const Geometry<D>& geometry, Padding padding) : matrix_(grid.matrix(n)) {
    const Grid& g = grid.grid;
    if (!is_constant(padding) || g.kind != GridKind::matrix || g.projective || g.size[0] < SHORTEST) return;
    const Bounds<D, K, double> bounds(geometry);
    for (int a = 0; a < D; ++a) {
      const double* row = matrix_ + 4 * a;
      double lowest = row[D], highest = row[D];
      double largest = static_cast<double>(geometry.length[a]) + __builtin_fabs(row[D]);
      for (int b = 0; b < D; ++b) {
        const double change = row[b] * static_cast<double>(g.size[b] - 1);
        lowest += change < 0 ? change : 0;
        highest += change > 0 ? change : 0;
        largest += __builtin_fabs(change);
      }
      const double slack = largest * ROUNDING;
      low_[a] = (bounds.low < bounds.near ? bounds.low : bounds.near) - slack;
      high_[a] = bounds.beyond[a] + slack;
      inverse_[a] = 1 / row[0];
      cuts_ |= lowest < low_[a] || highest >= high_[a];
    }
  }

  // Whether cutting this tile saves more than it costs.
  bool pays(const Tile& tile) {
    if (!cuts_) return false;
    int groups = 0;
    for (int p = 0; p < tile.pieces; p += FOUR) find(tile, p);
    for (int p = 0; p < tile.pieces; ++p) groups += (to_[p] - from_[p] + LANES - 1) / LANES;
    return groups * WORTH <= tile.groups * (WORTH - 1);
  }

  // Leaves of the tile just asked about what may read.
  void cut(Tile& tile) const { tile.cut(from_, to_); }

 private:
  static constexpr std::int64_t SHORTEST = 2 * LANES;  // of rows: in shorter ones there is little to cut
  static constexpr int WORTH = 8;                      // one group in so many must be saved
  // Coordinates are rounded, by at most a few units in the last place of the largest number on their way.
  static constexpr double ROUNDING = 1.0 / (1 << 20);

  // Lanes [from, to) of pieces `first` to `first + 3` are all that may read, and some more, to make whole groups.
  TORCHSTN_INLINE void find(const Tile& tile, int first) {
    Double4 i, j, k, length;
    for (int u = 0; u < FOUR; ++u) {
      const Piece& piece = tile.piece[first + u < tile.pieces ? first + u : first];
      i[u] = static_cast<double>(piece.i);
      j[u] = static_cast<double>(piece.j);
      k[u] = static_cast<double>(piece.k);
      length[u] = piece.length;
    }
    Double4 begin = {}, end = length;
    for (int a = 0; a < D; ++a) {
      const double* row = matrix_ + 4 * a;
      Double4 start = row[D] + row[0] * j + row[1] * i;
      if (D == 3) start += row[2] * k;
      const Double4 low = (low_[a] - start) * inverse_[a], high = (high_[a] - start) * inverse_[a];
      // Comparisons that NaN fails: then nothing is cut.
      const Double4 enter = select(low < high, low, high), leave = select(low < high, high, low);
      begin = select(enter > begin, enter, begin);
      end = select(leave < end, leave, end);
    }
    const Long4 some = begin <= end;
    const Int4 all = __builtin_convertvector(length, Int4);
    const Int4 from = __builtin_convertvector(select(some, begin, Double4{}), Int4);
    const Int4 to = __builtin_convertvector(select(some, end + 1.0, Double4{}), Int4);
    const Int4 count = (to - from + (LANES - 1)) & -LANES;
    const Int4 fits = count <= all, latest = all - count;
    const Int4 at = select(fits, select(from < latest, from, latest), Int4{});
    store(from_ + first, at);
    store(to_ + first, at + select(fits, count, all));
  }

  std::int32_t from_[BLOCK + FOUR], to_[BLOCK + FOUR];  // of the pieces of a tile
  const double* matrix_;
  bool cuts_ = false;
  double low_[D], high_[D], inverse_[D];
};

TORCHSTN_END
