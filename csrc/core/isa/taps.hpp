// Which pixels a block of output pixels reads.
//
// Most read inside the image only: for them an offset and a fraction per axis say everything, and loops without
// branches do the rest. The others are listed, and gone through one by one with their taps replaced as the padding
// says (sampler/padding.py).
#pragma once

#include "coordinates.hpp"
#include "kernels.hpp"

TORCHSTN_BEGIN

template <int D>
struct Geometry {
  std::int64_t length[D], stride[D];

  explicit Geometry(const Image& image) {
    for (int a = 0; a < D; ++a) {
      length[a] = image.size[a];
      stride[a] = image.stride[a];
    }
  }
};

// How far each of the K^D taps lies from the first, x fastest.
template <int D, class K>
struct Deltas {
  static constexpr int COUNT = power(K::TAPS, D);
  std::int64_t at[COUNT];

  explicit Deltas(const Geometry<D>& geometry) {
    for (int k = 0; k < COUNT; ++k) {
      at[k] = 0;
      for (int a = 0, rest = k; a < D; ++a, rest /= K::TAPS) at[k] += rest % K::TAPS * geometry.stride[a];
    }
  }
};

template <int D, class W>
struct Taps {
  int count = 0;   // pixels of the block
  int groups = 0;  // of LANES pixels, the last one filled up
  int inside = 0;  // pixels that read inside only
  int others = 0;
  // Pixels that do not read inside, and those that fill up the last group, have offset and fraction 0: they
  // may be read harmlessly wherever another pixel of the block reads inside.
  alignas(64) std::int64_t offset[ROOM];  // of the first tap, from the image's first pixel
  alignas(64) W fraction[D][ROOM];
  alignas(64) std::int32_t mask[ROOM];  // -1 inside, else 0
  std::int16_t other[BLOCK];
};

template <class K, class R>
TORCHSTN_INLINE std::int32_t first_pixel(R x, R& fraction) {
  if (K::TAPS == 1) {
    const R low = sizeof(R) == 4 ? static_cast<R>(__builtin_floorf(static_cast<float>(x)))
                                 : static_cast<R>(__builtin_floor(static_cast<double>(x)));
    fraction = 0;
    return static_cast<std::int32_t>(low) + (x - low >= R(0.5) ? 1 : 0);
  }
  const auto index = static_cast<std::int32_t>(x);  // x >= 0: the whole part
  fraction = x - static_cast<R>(index);
  return index;
}

// One pass of `find_taps` over a block; offsets are summed in Index, 32 bits wide where they fit.
template <class Index, int D, class K, class R, class W>
TORCHSTN_INLINE void locate(const Coordinates<R>& at, const Geometry<D>& geometry, Taps<D, W>& taps) {
  const int count = taps.count;
  R high[D];
  Index stride[D];
  Index start = 0;
  for (int a = 0; a < D; ++a) {
    high[a] = static_cast<R>(static_cast<double>(geometry.length[a]) - K::BELOW);
    stride[a] = static_cast<Index>(geometry.stride[a]);
    start = static_cast<Index>(start + K::FIRST * stride[a]);
  }
  for (int t = 0; t < count; ++t) {
    std::int32_t mask = -1;
    for (int a = 0; a < D; ++a)
      mask &= -static_cast<std::int32_t>((at.axis[a][t] >= static_cast<R>(K::LOW)) & (at.axis[a][t] < high[a]));
    Index offset = start;
    for (int a = 0; a < D; ++a) {
      const R x = mask ? at.axis[a][t] : static_cast<R>(-K::FIRST);
      R fraction;
      offset = static_cast<Index>(offset + static_cast<Index>(first_pixel<K>(x, fraction)) * stride[a]);
      taps.fraction[a][t] = static_cast<W>(fraction);
    }
    taps.mask[t] = mask;
    taps.offset[t] = static_cast<std::int64_t>(offset);
  }
}

template <int D, class K, class R, class W>
void find_taps(const Coordinates<R>& at, int count, const Geometry<D>& geometry, Taps<D, W>& taps) {
  taps.count = count;
  taps.groups = (count + LANES - 1) / LANES;
  std::int64_t extent = 0;
  for (int a = 0; a < D; ++a) extent += geometry.length[a] * geometry.stride[a];
  if (extent < (std::int64_t{1} << 31))
    locate<std::int32_t, D, K>(at, geometry, taps);
  else
    locate<std::int64_t, D, K>(at, geometry, taps);
  int inside = 0;
  for (int t = 0; t < count; ++t) inside -= taps.mask[t];
  taps.inside = inside;
  taps.others = 0;
  if (inside < count)
    for (int t = 0; t < count; ++t) {
      taps.other[taps.others] = static_cast<std::int16_t>(t);
      taps.others += taps.mask[t] + 1;
    }
  for (int t = count; t < taps.groups * LANES; ++t) {
    taps.offset[t] = 0;
    taps.mask[t] = 0;
    for (int a = 0; a < D; ++a) taps.fraction[a][t] = 0;
  }
}

// The first tap's index along the slowest axis, far outside for pixels that do not read inside.
template <int D, class K, class R, class W>
void slow_indices(const Coordinates<R>& at, const Taps<D, W>& taps, std::int32_t (&slow)[ROOM]) {
  constexpr std::int32_t NOWHERE = -(1 << 30);
  for (int t = 0; t < taps.groups * LANES; ++t) {
    slow[t] = NOWHERE;
    if (!taps.mask[t]) continue;
    R fraction;
    slow[t] = first_pixel<K>(at.axis[D - 1][t], fraction) + K::FIRST;
  }
}

// Products of the weights along the axes for one pixel that reads inside, x fastest.
template <int D, class K, class W>
TORCHSTN_INLINE void product_weights(const Taps<D, W>& taps, int t, W (&weight)[power(K::TAPS, D)]) {
  W axis[D][K::TAPS];
  for (int a = 0; a < D; ++a) K::weights(taps.fraction[a][t], axis[a]);
  for (int k = 0; k < power(K::TAPS, D); ++k) {
    W w = axis[0][k % K::TAPS];
    for (int a = 1, rest = k / K::TAPS; a < D; ++a, rest /= K::TAPS) w *= axis[a][rest % K::TAPS];
    weight[k] = w;
  }
}

// The same with axis `along` differentiated.
template <int D, class K, class W>
TORCHSTN_INLINE void product_slopes(const Taps<D, W>& taps, int t, W (&slope)[D][power(K::TAPS, D)]) {
  W axis[D][K::TAPS], derivative[D][K::TAPS];
  for (int a = 0; a < D; ++a) {
    K::weights(taps.fraction[a][t], axis[a]);
    K::slopes(taps.fraction[a][t], derivative[a]);
  }
  for (int along = 0; along < D; ++along)
    for (int k = 0; k < power(K::TAPS, D); ++k) {
      W w = 1;
      for (int a = 0, rest = k; a < D; ++a, rest /= K::TAPS)
        w *= (a == along ? derivative : axis)[a][rest % K::TAPS];
      slope[along][k] = w;
    }
}

TORCHSTN_END
