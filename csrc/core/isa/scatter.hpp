// The gradient of the image: every output pixel adds its gradient, times its weights, to the pixels it read.
//
// What is added to one pixel is added in an order that depends on sizes alone, so the bits do not depend on how the work
// was split. A part may own a slab of the slowest axis only: it then goes through all output pixels and adds
// what falls into its slab.
#pragma once

#include "padded.hpp"
#include "read.hpp"

TORCHSTN_BEGIN

struct Slab {
  std::int64_t first, last;

  bool owns(std::int64_t index) const { return index >= first && index < last; }
};

// Which taps of a pixel a part may add to.
template <int D, class K>
struct Owner {
  const Slab* slab;          // null: everything
  const std::int32_t* slow;  // by pixel

  TORCHSTN_INLINE bool owns(int t, int k) const {
    return slab == nullptr || slab->owns(slow[t] + k / power(K::TAPS, D - 1));
  }
};

TORCHSTN_INLINE void load_masked(Float8& v, const float* from, const std::int32_t* mask, int rest) {
  Int8 m, bits;
  if (rest >= LANES) {
    std::memcpy(&bits, from, sizeof(bits));
  } else {
    bits = Int8{};
    std::memcpy(&bits, from, static_cast<std::size_t>(rest) * sizeof(float));
  }
  std::memcpy(&m, mask, sizeof(m));
  v = as_floats(bits & m);
}

// Planes of floats. Neighbouring outputs add to the same pixels, and each addition waits for the one before it
// to reach memory; so several lanes (channels, or distant parts of the block) take turns.
template <int D, class K, bool LIMITED>
void scatter_planes(const Tile& tile, const Taps<D, float>& taps, const Deltas<D, K>& deltas, const Owner<D, K>& owner,
                    Planes<const float> gradient, Planes<float> to, std::int64_t c0, std::int64_t c1) {
  constexpr int COUNT = Deltas<D, K>::COUNT;
  constexpr int TURNS = 4;
  const int streams = c1 - c0 >= TURNS ? 1 : TURNS;
  const int stretch = (tile.groups + streams - 1) / streams;
  alignas(32) float product[TURNS][COUNT][LANES];
  const std::int64_t* offset[TURNS];
  float* base[TURNS];
  int pixel[TURNS];
  for (std::int64_t c = c0; c < c1; c += streams == 1 ? TURNS : 1) {
    if (is_far(c1 - c0, to.channel_stride)) {
      prefetch_taps<D, K, true>(tile, taps, deltas, to.data + c * to.channel_stride);
      prefetch_pixels(tile, gradient.data + c * gradient.channel_stride);
    }
    const int planes = streams == 1 ? static_cast<int>(c1 - c < TURNS ? c1 - c : TURNS) : 1;
    for (int step = 0; step < stretch; ++step) {
      int lanes = 0;
      for (int stream = 0; stream < streams; ++stream) {
        const int group = stream * stretch + step;
        if (group >= tile.groups) break;
        const int at = group * LANES;
        Float8 w[D][K::TAPS];
        for (int a = 0; a < D; ++a) {
          Float8 f;
          load(f, taps.fraction[a] + at);
          K::weights(f, w[a]);
        }
        for (int plane = 0; plane < planes; ++plane, ++lanes) {
          Float8 g;
          load_masked(g, gradient.data + (c + plane) * gradient.channel_stride + tile.pixel[group], taps.mask + at,
                      tile.valid[group]);
          offset[lanes] = taps.offset + at;
          base[lanes] = to.data + (c + plane) * to.channel_stride;
          pixel[lanes] = at;
          for (int k = 0; k < COUNT; ++k) {
            Float8 value = g * w[0][k % K::TAPS] * w[1][k / K::TAPS % K::TAPS];
            if (D == 3) value *= w[D - 1][k / (K::TAPS * K::TAPS)];
            store(product[lanes][k], value);
          }
        }
      }
      for (int u = 0; u < LANES; ++u)
        for (int lane = 0; lane < lanes; ++lane) {
          float* first = base[lane] + offset[lane][u];
          for (int k = 0; k < COUNT; ++k)
            if (!LIMITED || owner.owns(pixel[lane] + u, k)) first[deltas.at[k]] += product[lane][k][u];
        }
    }
  }
}

// Channels side by side, floats.
template <int D, class K, bool LIMITED>
void scatter_last(const Tile& tile, const Taps<D, float>& taps, const Deltas<D, K>& deltas, const Owner<D, K>& owner,
                  const float* gradient, float* to, std::int64_t channels) {
  if (channels < 2 * LANES) prefetch_taps<D, K, true>(tile, taps, deltas, to);
  for_each_pixel(tile, [&](int t, std::int64_t pixel) {
    if (!taps.mask[t]) return;
    float w[Deltas<D, K>::COUNT];
    product_weights<D, K>(taps, t, w);
    const float* g = gradient + pixel * channels;
    float* first = to + taps.offset[t];
    for (int k = 0; k < Deltas<D, K>::COUNT; ++k) {
      if (LIMITED && !owner.owns(t, k)) continue;
      float* sum = first + deltas.at[k];
      std::int64_t c = 0;
      for (; c + LANES <= channels; c += LANES) {
        Float8 v, s;
        load(v, g + c);
        load(s, sum + c);
        store(sum + c, Float8(s + v * w[k]));
      }
      for (; c < channels; ++c) sum[c] += w[k] * g[c];
    }
  });
}

// Any type of gradient, any layout.
template <class T, int D, class K, bool LIMITED>
void scatter_strided(const Tile& tile, const Taps<D, typename Compute<T>::type>& taps, const Deltas<D, K>& deltas,
                     const Owner<D, K>& owner, Planes<const T> gradient, std::int64_t from_pixel,
                     Planes<typename Compute<T>::type> to, std::int64_t c0, std::int64_t c1) {
  using W = typename Compute<T>::type;
  for_each_pixel(tile, [&](int t, std::int64_t pixel) {
    if (!taps.mask[t]) return;
    W w[Deltas<D, K>::COUNT];
    product_weights<D, K>(taps, t, w);
    for (std::int64_t c = c0; c < c1; ++c) {
      const W g = widen(gradient.data[c * gradient.channel_stride + pixel * from_pixel]);
      W* first = to.data + c * to.channel_stride + taps.offset[t];
      for (int k = 0; k < Deltas<D, K>::COUNT; ++k)
        if (!LIMITED || owner.owns(t, k)) first[deltas.at[k]] += w[k] * g;
    }
  });
}

TORCHSTN_END
