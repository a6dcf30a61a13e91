// Output pixels some of whose taps lie outside the image, four at a time.
//
// Which of its taps the padding replaces is different for every pixel, so nothing here branches on it: a tap that
// reads a constant has an index within the image, too, and is read in vain.
#pragma once

#include "taps.hpp"
#include "types.hpp"

TORCHSTN_BEGIN

constexpr int FOUR = 4;  // coordinates are doubles here, and as many fit a vector

// Of numbers below 2^51 on either side of zero: above 2^52 there are no fractions.
TORCHSTN_INLINE Double4 floor_of(const Double4& x) {
  constexpr double WHOLE = 6755399441055744.0;  // 3 * 2^51
  const Double4 near = (x + WHOLE) - WHOLE;
  return near - select(near > x, Double4{} + 1.0, Double4{});
}

// Whole numbers in [0, 2^52).
TORCHSTN_INLINE Long4 as_integers(const Double4& x) {
  constexpr double WHOLE = 4503599627370496.0;  // 2^52: the number is what follows in its bits
  return reinterpret_cast<Long4>(x + WHOLE) - reinterpret_cast<Long4>(Double4{} + WHOLE);
}

// The remainder of whole numbers, in [0, period).
TORCHSTN_INLINE Double4 wrap(const Double4& x, double period) {
  const Double4 rest = x - floor_of(x / period) * period;
  return rest + select(rest < 0.0, Double4{} + period, Double4{});  // a quotient just below a whole number is rounded up
}

// Where the padding finds the pixels of an axis (sampler/padding.py).
class Replacement {
 public:
  Replacement(Padding padding, std::int64_t length, bool align_corners)
      : length_(static_cast<double>(length)),
        constant_(is_constant(padding)),
        folds_(padding == Padding::reflection || padding == Padding::circular) {
    mirrored_ = padding == Padding::reflection ? (align_corners ? 0 : 1) : -1;
    period_ = padding == Padding::circular ? length_ : align_corners ? 2 * length_ - 2 : 2 * length_;
    if (period_ < 1) period_ = 1;
  }

  // Coordinates as near as `floor_of` needs them, without another reading or fraction.
  TORCHSTN_INLINE Double4 approach(Double4 x) const {
    constexpr double FAR = 1125899906842624.0, FARTHEST = 4611686018427387904.0;  // 2^50, 2^62
    const Long4 near = (x <= FAR) & (x >= -FAR);
    if (!folds_) return select(near, x, select(x < 0.0, Double4{} - FAR, Double4{} + FAR));
    for (int u = 0; !none(~near) && u < FOUR; ++u) {
      const double within = x[u] < -FARTHEST ? -FARTHEST : x[u] > FARTHEST ? FARTHEST : x[u];
      if (!near[u]) x[u] = __builtin_fmod(within, period_);
    }
    return x;
  }

  // The pixels in place of `index`, and in `present` whether there are any: else a constant is read.
  TORCHSTN_INLINE Double4 operator()(const Double4& index, Long4& present) const {
    present = ~Long4{};
    if (!folds_) {
      if (constant_) present = (index >= 0.0) & (index < length_);
      const Double4 below = select(index < length_, index, Double4{} + (length_ - 1));
      return select(below < 0.0, Double4{}, below);
    }
    const Double4 folded = wrap(index, period_);
    if (mirrored_ < 0) return folded;
    return select(folded < length_, folded, period_ - mirrored_ - folded);
  }

 private:
  double length_, period_, mirrored_;
  bool constant_, folds_;
};

template <int D, class K, class W>
struct PaddedGroup {
  using Real = typename Four<W>::Real;
  using Mask = typename Four<W>::Mask;
  static constexpr int COUNT = power(K::TAPS, D);

  int count, lane[FOUR];  // lanes of the tile; beyond `count` the last one again
  std::int64_t pixel[FOUR];
  Mask readable;  // others are the constant, with zero gradient
  Mask present[COUNT];  // others read the constant
  Real weight[COUNT];
  alignas(64) std::int64_t offset[COUNT][FOUR];

  // Of the listed pixels of a tile those from `first` on; `find` gives a pixel's coordinate along an axis.
  template <class Find>
  PaddedGroup(const Tile& tile, const Taps<D, W>& taps, int first, const Geometry<D>& geometry, Padding padding,
              bool align_corners, const Find& find) {
    count = taps.others - first < FOUR ? taps.others - first : FOUR;
    for (int u = 0; u < FOUR; ++u) {
      lane[u] = taps.other[first + (u < count ? u : count - 1)];
      pixel[u] = tile.pixel[lane[u] / LANES] + lane[u] % LANES;
    }
    Double4 coordinate[D];
    Long4 finite = ~Long4{};
    for (int a = 0; a < D; ++a) {
      coordinate[a] = Double4{find(lane[0], a), find(lane[1], a), find(lane[2], a), find(lane[3], a)};
      finite &= coordinate[a] - coordinate[a] == 0.0;
    }
    readable = __builtin_convertvector(finite, Mask);
    Double4 place[D][K::TAPS];
    Long4 there[D][K::TAPS];
    for (int a = 0; a < D; ++a) {
      const Replacement replaced(padding, geometry.length[a], align_corners);
      find_axis(a, replaced, select(finite, coordinate[a], Double4{}), place[a], there[a]);
      if (a == D - 1)
        for (int k = 0; k < K::TAPS; ++k) store(slow_[k], as_integers(place[a][k]));
      for (int k = 0; k < K::TAPS; ++k) place[a][k] *= static_cast<double>(geometry.stride[a]);
    }
    for (int k = 0; k < COUNT; ++k) join(k, finite, place, there);
  }

  // What tap k reads: of the image, or the constant.
  template <class T>
  TORCHSTN_INLINE Real read(int k, const T* from, const Real& constant) const {
    return select(present[k], gather(from, offset[k]), constant);
  }

  // What a plane's own pixels hold.
  template <class T>
  TORCHSTN_INLINE Real own(const T* plane, std::int64_t stride) const {
    std::int64_t at[FOUR];
    for (int u = 0; u < FOUR; ++u) at[u] = pixel[u] * stride;
    return gather(plane, at);
  }

  // Where along the slowest axis tap k of lane u lies.
  TORCHSTN_INLINE std::int64_t slow_index(int k, int u) const { return slow_[k / power(K::TAPS, D - 1)][u]; }

  // The weight of tap k differentiated along an axis.
  TORCHSTN_INLINE Real slope(int along, int k) const {
    Real total = Real{} + W(1);
    for (int a = 0, rest = k; a < D; ++a, rest /= K::TAPS)
      total *= a == along ? slopes_[a][rest % K::TAPS] : weights_[a][rest % K::TAPS];
    return total;
  }

 private:
  Real weights_[D][K::TAPS], slopes_[D][K::TAPS];
  alignas(64) std::int64_t slow_[K::TAPS][FOUR];

  template <class T>
  TORCHSTN_INLINE static Real gather(const T* from, const std::int64_t* at) {
    return Real{widen(from[at[0]]), widen(from[at[1]]), widen(from[at[2]]), widen(from[at[3]])};
  }

  TORCHSTN_INLINE void find_axis(int a, const Replacement& replaced, const Double4& given, Double4 (&place)[K::TAPS],
                                 Long4 (&there)[K::TAPS]) {
    const Double4 x = replaced.approach(given);
    Double4 low = floor_of(x), fraction = x - low;
    if constexpr (K::TAPS == 1) {
      low += select(fraction >= 0.5, Double4{} + 1.0, Double4{});
      fraction = Double4{};
    }
    Long4 moves = {};  // whether the taps are not all of them one pixel
    for (int k = 0; k < K::TAPS; ++k) {
      place[k] = replaced(low + (K::FIRST + k), there[k]);
      moves |= (place[k] != place[0]) | (there[k] ^ there[0]);
    }
    const Real f = __builtin_convertvector(fraction, Real);
    K::weights(f, weights_[a]);
    if constexpr (K::TAPS > 1) {
      // What such taps' slopes add up to is zero but for rounding, which a far point of a projective grid would enlarge.
      K::slopes(f, slopes_[a]);
      const Mask mask = __builtin_convertvector(moves, Mask);
      for (int k = 0; k < K::TAPS; ++k) slopes_[a][k] = select(mask, slopes_[a][k], Real{});
    }
  }

  // One tap of each axis.
  TORCHSTN_INLINE void join(int k, Long4 all, const Double4 (&place)[D][K::TAPS], const Long4 (&there)[D][K::TAPS]) {
    Double4 from = {};
    weight[k] = Real{} + W(1);
    for (int a = 0, rest = k; a < D; ++a, rest /= K::TAPS) {
      from += place[a][rest % K::TAPS];
      all &= there[a][rest % K::TAPS];
      weight[k] *= weights_[a][rest % K::TAPS];
    }
    store(offset[k], as_integers(from));
    present[k] = __builtin_convertvector(all, Mask);
  }
};

TORCHSTN_END
