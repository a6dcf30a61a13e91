// Which pixels a tile of output pixels reads.
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
  bool framed;  // the constant outside is in memory, as far out as a point that reads the image can reach

  explicit Geometry(const Image& image, bool framed_ = false) : framed(framed_) {
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
  // Lanes that do not read inside have offset, fraction and mask 0: they may be read harmlessly wherever another lane
  // of the tile reads inside.
  alignas(64) std::int64_t offset[BLOCK];  // of the first tap, from the image's first pixel
  alignas(64) W fraction[D][BLOCK];
  alignas(64) std::int32_t mask[BLOCK];  // -1 inside, else 0
  bool inside = false;                   // whether any lane is
  int others = 0;
  std::int16_t other[BLOCK];  // lanes whose taps must be replaced; the rest read the constant outside
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

// Bounds of the points that read inside only, and of those that read the image at all, taps not being replaced.
template <int D, class K, class R>
struct Bounds {
  R low = static_cast<R>(K::LOW), high[D];
  R near = static_cast<R>(1 - K::TAPS - K::FIRST), beyond[D];

  explicit Bounds(const Geometry<D>& geometry) {
    for (int a = 0; a < D; ++a) {
      high[a] = static_cast<R>(static_cast<double>(geometry.length[a]) - K::BELOW);
      beyond[a] = static_cast<R>(geometry.length[a] - K::FIRST);
    }
  }
};

// Any type and any size of image.
template <int D, class K, class R, class W>
void find_taps_singly(const Tile& tile, const Coordinates<R>& at, const Geometry<D>& geometry, bool constant,
                      Taps<D, W>& taps) {
  const Bounds<D, K, R> bounds(geometry);
  std::int64_t start = 0;
  for (int a = 0; a < D; ++a) start += K::FIRST * geometry.stride[a];
  int inside = 0, others = 0;
  for (int t = 0; t < tile.groups * LANES; ++t) {
    const bool valid = t % LANES < tile.valid[t / LANES];
    bool within = valid, reads = true;
    for (int a = 0; a < D; ++a) {
      const R x = at.axis[a][t];
      within &= x >= bounds.low && x < bounds.high[a];
      reads &= x >= bounds.near && x < bounds.beyond[a];
    }
    std::int64_t offset = within ? start : 0;
    for (int a = 0; a < D; ++a) {
      R fraction = 0;
      if (within) offset += first_pixel<K>(at.axis[a][t], fraction) * geometry.stride[a];
      taps.fraction[a][t] = static_cast<W>(fraction);
    }
    taps.mask[t] = within ? -1 : 0;
    taps.offset[t] = offset;
    inside |= within;
    taps.other[others] = static_cast<std::int16_t>(t);
    others += valid && !within && (reads || !constant);
  }
  taps.inside = inside != 0;
  taps.others = others;
}

// Floats, a group at a time, where offsets fit 32 bits. Of a framed image nothing is listed.
template <int D, class K, bool FRAMED>
void find_taps_in_groups(const Tile& tile, const Coordinates<float>& at, const Geometry<D>& geometry, bool constant,
                         Taps<D, float>& taps) {
  const Bounds<D, K, float> bounds(geometry);
  std::int32_t start = 0, stride[D];
  for (int a = 0; a < D; ++a) {
    stride[a] = static_cast<std::int32_t>(geometry.stride[a]);
    start += K::FIRST * stride[a];
  }
  const Int8 lanes = {0, 1, 2, 3, 4, 5, 6, 7};
  const Int8 always = Int8{} - static_cast<std::int32_t>(!constant);
  const int groups = tile.groups;
  Int8 inside = {};
  int others = 0;
  for (int group = 0, t = 0; group < groups; ++group, t += LANES) {
    Float8 x[D];
    const Int8 valid = lanes < tile.valid[group];
    Int8 mask = valid, reads = valid;
    for (int a = 0; a < D; ++a) {
      load(x[a], at.axis[a] + t);
      const Int8 readable = (x[a] >= bounds.near) & (x[a] < bounds.beyond[a]);
      reads &= readable;
      mask &= FRAMED ? readable : (x[a] >= bounds.low) & (x[a] < bounds.high[a]);
    }
    Int8 offset = mask & start;
    for (int a = 0; a < D; ++a) {
      const Float8 readable = as_floats(as_ints(x[a]) & mask);
      Int8 index = __builtin_convertvector(readable, Int8);
      if (FRAMED) index += __builtin_convertvector(index, Float8) > readable;  // a comparison that holds is -1
      Float8 fraction = readable - __builtin_convertvector(index, Float8);
      if (K::TAPS == 1) {
        index -= fraction >= 0.5f;
        fraction = Float8{};
      }
      offset += index * stride[a];
      store(taps.fraction[a] + t, fraction);
    }
    store(taps.mask + t, mask);
    store_wide(taps.offset + t, offset);
    inside |= mask;
    if (FRAMED) continue;
    const Int8 listed = ~mask & valid & (reads | always);
    if (none(listed)) continue;
    for (int u = 0; u < LANES; ++u) {
      taps.other[others] = static_cast<std::int16_t>(t + u);
      others -= listed[u];
    }
  }
  taps.inside = !none(inside);
  taps.others = others;
}

// Sorts a tile's pixels into those that read inside, those whose taps the padding replaces, and the rest, which
// there is none of unless the padding is `constant`.
template <int D, class K, class R, class W>
TORCHSTN_INLINE void find_taps(const Tile& tile, const Coordinates<R>& at, const Geometry<D>& geometry, bool constant,
                               Taps<D, W>& taps) {
  std::int64_t extent = 0;
  for (int a = 0; a < D; ++a) extent += geometry.length[a] * geometry.stride[a];
  if constexpr (std::is_same_v<R, float> && std::is_same_v<W, float>) {
    if (geometry.framed) return find_taps_in_groups<D, K, true>(tile, at, geometry, constant, taps);
    if (extent < (std::int64_t{1} << 31)) return find_taps_in_groups<D, K, false>(tile, at, geometry, constant, taps);
  }
  find_taps_singly<D, K>(tile, at, geometry, constant, taps);
}

// The first tap's index along the slowest axis, far outside for pixels that do not read inside.
template <int D, class K, class R, class W>
void slow_indices(const Tile& tile, const Coordinates<R>& at, const Taps<D, W>& taps, std::int32_t (&slow)[BLOCK]) {
  constexpr std::int32_t NOWHERE = -(1 << 30);
  for (int t = 0; t < tile.groups * LANES; ++t) {
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
    W others = axis[1][k / K::TAPS % K::TAPS];
    if (D == 3) others *= axis[D - 1][k / (K::TAPS * K::TAPS)];
    weight[k] = axis[0][k % K::TAPS] * others;
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
