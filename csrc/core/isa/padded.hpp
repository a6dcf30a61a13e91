// One output pixel some of whose taps lie outside the image.
#pragma once

#include "taps.hpp"

TORCHSTN_BEGIN

// The pixel read in place of `index`; -1 where a constant is.
TORCHSTN_INLINE std::int64_t remap(std::int64_t index, std::int64_t length, Padding padding, bool align_corners) {
  if (index >= 0 && index < length) return index;
  if (padding == Padding::zeros || padding == Padding::fill) return -1;
  if (padding == Padding::border) return index < 0 ? 0 : length - 1;
  const auto modulo = [](std::int64_t value, std::int64_t period) {
    const std::int64_t rest = value % period;
    return rest < 0 ? rest + period : rest;
  };
  if (padding == Padding::circular) return modulo(index, length);
  if (align_corners) {
    const std::int64_t period = length > 1 ? 2 * (length - 1) : 1;
    const std::int64_t folded = modulo(index, period);
    return folded < length ? folded : period - folded;
  }
  const std::int64_t folded = modulo(index, 2 * length);
  return folded < length ? folded : 2 * length - 1 - folded;
}

template <int D, class K, class W, bool SLOPES>
struct PaddedTaps {
  static constexpr int COUNT = power(K::TAPS, D);

  bool readable;  // else the pixel reads the constant, with zero gradient
  int present = 0, absent = 0;
  std::int64_t offset[COUNT];
  std::int64_t slow[COUNT];  // index along the slowest axis
  W weight[COUNT];
  W slope[SLOPES ? D : 1][SLOPES ? COUNT : 1];
  W absent_weight = 0;
  W absent_slope[D] = {};

  PaddedTaps(const double (&x)[D], const Geometry<D>& geometry, Padding padding, bool align_corners) {
    readable = true;
    for (int a = 0; a < D; ++a) readable &= __builtin_isfinite(x[a]) != 0;
    if (!readable) return;
    std::int64_t index[D][K::TAPS];
    W axis[D][K::TAPS], derivative[D][K::TAPS];
    for (int a = 0; a < D; ++a) {
      W fraction;
      const std::int64_t first = whole_part(x[a], fraction);
      for (int k = 0; k < K::TAPS; ++k) index[a][k] = remap(first + k, geometry.length[a], padding, align_corners);
      K::weights(fraction, axis[a]);
      if constexpr (SLOPES) K::slopes(fraction, derivative[a]);
    }
    for (int k = 0; k < COUNT; ++k) add(k, index, axis, derivative, geometry);
  }

  // What the pixel is worth in one channel.
  template <class Value>
  TORCHSTN_INLINE W value(W fill, Value read) const {
    if (!readable) return fill;
    W sum = 0;
    for (int k = 0; k < present; ++k) sum += weight[k] * read(offset[k]);
    return fill != W(0) && absent ? sum + absent_weight * fill : sum;
  }

  // Its derivative along an axis.
  template <class Value>
  TORCHSTN_INLINE W derivative(int along, W fill, Value read) const {
    W sum = 0;
    for (int k = 0; k < present; ++k) sum += slope[along][k] * read(offset[k]);
    return fill != W(0) && absent ? sum + absent_slope[along] * fill : sum;
  }

 private:
  static std::int64_t whole_part(double x, W& fraction) {
    constexpr double FARTHEST = 4611686018427387904.0;  // 2^62
    const double low = __builtin_floor(x);
    fraction = static_cast<W>(x - low);
    const double within = low < -FARTHEST ? -FARTHEST : (low > FARTHEST ? FARTHEST : low);
    if (K::TAPS > 1) return static_cast<std::int64_t>(within) + K::FIRST;
    const bool up = x - low >= 0.5;
    fraction = 0;
    return static_cast<std::int64_t>(within) + (up ? 1 : 0);
  }

  void add(int k, const std::int64_t (&index)[D][K::TAPS], const W (&axis)[D][K::TAPS],
           const W (&derivative)[D][K::TAPS], const Geometry<D>& geometry) {
    std::int64_t where = 0, last = 0;
    bool inside = true;
    W w = 1;
    W s[D];
    for (int a = 0; a < D; ++a) s[a] = 1;
    for (int a = 0, rest = k; a < D; ++a, rest /= K::TAPS) {
      const int tap = rest % K::TAPS;
      last = index[a][tap];
      inside &= last >= 0;
      where += last * geometry.stride[a];
      w *= axis[a][tap];
      for (int b = 0; SLOPES && b < D; ++b) s[b] *= a == b ? derivative[a][tap] : axis[a][tap];
    }
    if (inside) {
      offset[present] = where;
      slow[present] = last;
      weight[present] = w;
      for (int a = 0; SLOPES && a < D; ++a) slope[a][present] = s[a];
      ++present;
    } else {
      ++absent;
      absent_weight += w;
      for (int a = 0; SLOPES && a < D; ++a) absent_slope[a] += s[a];
    }
  }
};

TORCHSTN_END
