// Which pixels a block of output pixels reads.
//
// Most read inside the image only: for them an offset and a fraction per axis say everything, and loops without
// branches do the rest. The others are listed, and gone through one by one with their taps replaced as the padding
// says (sampler/padding.py).
#pragma once

#include <type_traits>

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

// Offsets, fractions and masks of a block, for any type and any size of image.
template <int D, class K, class R, class W>
TORCHSTN_INLINE void locate(const Coordinates<R>& at, const Geometry<D>& geometry, Taps<D, W>& taps) {
  const int count = taps.count;
  R high[D];
  std::int64_t start = 0;
  for (int a = 0; a < D; ++a) {
    high[a] = static_cast<R>(static_cast<double>(geometry.length[a]) - K::BELOW);
    start += K::FIRST * geometry.stride[a];
  }
  for (int t = 0; t < count; ++t) {
    std::int32_t mask = -1;
    for (int a = 0; a < D; ++a)
      mask &= -static_cast<std::int32_t>((at.axis[a][t] >= static_cast<R>(K::LOW)) & (at.axis[a][t] < high[a]));
    std::int64_t offset = start;
    for (int a = 0; a < D; ++a) {
      const R x = mask ? at.axis[a][t] : static_cast<R>(-K::FIRST);
      R fraction;
      offset += first_pixel<K>(x, fraction) * geometry.stride[a];
      taps.fraction[a][t] = static_cast<W>(fraction);
    }
    taps.mask[t] = mask;
    taps.offset[t] = offset;
  }
  for (int t = count; t < taps.groups * LANES; ++t) {
    taps.offset[t] = 0;
    taps.mask[t] = 0;
    for (int a = 0; a < D; ++a) taps.fraction[a][t] = 0;
  }
}

// Counts the pixels that read inside and lists the others.
template <int D, class W>
TORCHSTN_INLINE void list_others(Taps<D, W>& taps) {
  const int count = taps.count;
  int others = 0;
  for (int t = 0; t < count; t += LANES) {
    Int8 mask;
    load(mask, taps.mask + t);
    if (all(mask)) continue;
    const int end = count - t < LANES ? count : t + LANES;
    for (int u = t; u < end; ++u) {
      taps.other[others] = static_cast<std::int16_t>(u);
      others += taps.mask[u] + 1;
    }
  }
  taps.others = others;
  taps.inside = count - others;
}

// The same for floats, a group at a time, up to the end of the last group.
template <int D, class K>
TORCHSTN_INLINE void locate_groups(const Coordinates<float>& at, const Geometry<D>& geometry, Taps<D, float>& taps) {
  float high[D];
  std::int32_t start = 0, stride[D];
  for (int a = 0; a < D; ++a) {
    high[a] = static_cast<float>(static_cast<double>(geometry.length[a]) - K::BELOW);
    stride[a] = static_cast<std::int32_t>(geometry.stride[a]);
    start += K::FIRST * stride[a];
  }
  const Int8 lanes = {0, 1, 2, 3, 4, 5, 6, 7};
  const int count = taps.count;
  for (int t = 0; t < count; t += LANES) {
    Float8 x[D];
    Int8 mask = lanes < count - t;
    for (int a = 0; a < D; ++a) {
      load(x[a], at.axis[a] + t);
      mask &= (x[a] >= static_cast<float>(K::LOW)) & (x[a] < high[a]);
    }
    Int8 offset = mask & start;
    for (int a = 0; a < D; ++a) {
      const Float8 readable = as_floats(as_ints(x[a]) & mask);
      Int8 index = __builtin_convertvector(readable, Int8);
      Float8 fraction = readable - __builtin_convertvector(index, Float8);
      if (K::TAPS == 1) {
        index -= fraction >= 0.5f;  // a comparison that holds is -1
        fraction = Float8{};
      }
      offset += index * stride[a];
      store(taps.fraction[a] + t, fraction);
    }
    store(taps.mask + t, mask);
    store_wide(taps.offset + t, offset);
  }
}

template <int D, class K, class R, class W>
void find_taps(const Coordinates<R>& at, int count, const Geometry<D>& geometry, Taps<D, W>& taps) {
  taps.count = count;
  taps.groups = (count + LANES - 1) / LANES;
  std::int64_t extent = 0;
  for (int a = 0; a < D; ++a) extent += geometry.length[a] * geometry.stride[a];
  const bool short_offsets = extent < (std::int64_t{1} << 31);
  if constexpr (std::is_same_v<R, float> && std::is_same_v<W, float>) {
    if (short_offsets)
      locate_groups<D, K>(at, geometry, taps);
    else
      locate<D, K>(at, geometry, taps);
  } else {
    locate<D, K>(at, geometry, taps);
  }
  list_others(taps);
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
        w *= a == along ? derivative[a][rest % K::TAPS] : axis[a][rest % K::TAPS];
      slope[along][k] = w;
    }
}

TORCHSTN_END
