// The gradient of the coordinates: of each output pixel, summed over its channels.
#pragma once

#include "read.hpp"

TORCHSTN_BEGIN

// Sums over the taps of (gradient times pixel) times the derivative of the weight.
template <int D, class K, class W>
TORCHSTN_INLINE void slopes_of(const Taps<D, W>& taps, int t, const W (&product)[power(K::TAPS, D)],
                               W (&to)[MAX_DIMS][BLOCK]) {
  W slope[D][power(K::TAPS, D)];
  product_slopes<D, K>(taps, t, slope);
  for (int a = 0; a < D; ++a) {
    W total = 0;
    for (int k = 0; k < power(K::TAPS, D); ++k) total += slope[a][k] * product[k];
    to[a][t] = total;
  }
}

template <class W>
TORCHSTN_INLINE void no_slope(int t, W (&to)[MAX_DIMS][BLOCK]) {
  for (int a = 0; a < MAX_DIMS; ++a) to[a][t] = 0;
}

template <int D>
void slope_planes(Linear, const Tile& tile, const Taps<D, float>& taps, const Deltas<D, Linear>& deltas,
                  Planes<const float> image, Planes<const float> gradient, std::int64_t channels,
                  float (&to)[MAX_DIMS][BLOCK]) {
  constexpr int PAIRS = PairWeights<D>::COUNT;
  if (is_far(channels, image.channel_stride))
    for (std::int64_t c = 0; c < channels && c < CHANNELS_AT_ONCE; ++c) {
      prefetch_taps(tile, taps, deltas, image.data + c * image.channel_stride);
      prefetch_pixels(tile, gradient.data + c * gradient.channel_stride);
    }
  for (int group = 0; group < tile.groups; ++group) {
    const int at = group * LANES, valid = tile.valid[group];
    Int8 mask;
    load(mask, taps.mask + at);
    const std::int64_t* offset = taps.offset + at;
    Float8 low[PAIRS] = {}, high[PAIRS] = {};
    for (std::int64_t c = 0; c < channels; ++c) {
      const float* from = image.data + c * image.channel_stride;
      const float* gradients = gradient.data + c * gradient.channel_stride + tile.pixel[group];
      Float8 g, g_low, g_high, a, b;
      load_group(g, gradients, valid);
      interleave(g, g, g_low, g_high);
      for (int q = 0; q < PAIRS; ++q) {
        load_pairs_of(from + deltas.at[2 * q], offset, a, b);
        low[q] += a * g_low;
        high[q] += b * g_high;
      }
    }
    Float8 product[2 * PAIRS], w[D][2];
    for (int q = 0; q < PAIRS; ++q) separate(low[q], high[q], product[2 * q], product[2 * q + 1]);
    for (int a = 0; a < D; ++a) {
      Float8 f;
      load(f, taps.fraction[a] + at);
      Linear::weights(f, w[a]);
    }
    for (int along = 0; along < D; ++along) {
      Float8 total = {};
      for (int k = 0; k < 2 * PAIRS; ++k) {
        Float8 term = product[k];
        for (int a = 0; a < D; ++a)
          if (a != along) term *= w[a][k >> a & 1];
        total += k >> along & 1 ? term : -term;
      }
      store(to[along] + at, select(mask, total, 0));
    }
  }
}

template <int D>
void slope_planes(Cubic, const Tile& tile, const Taps<D, float>& taps, const Deltas<D, Cubic>& deltas,
                  Planes<const float> image, Planes<const float> gradient, std::int64_t channels,
                  float (&to)[MAX_DIMS][BLOCK]) {
  constexpr int ROWS = power(4, D - 1);
  for (std::int64_t c = 0; c < channels && c < CHANNELS_AT_ONCE; ++c)
    prefetch_taps(tile, taps, deltas, image.data + c * image.channel_stride);
  for (int group = 0; group < tile.groups; ++group) {
    const int at = group * LANES, valid = tile.valid[group];
    const std::int64_t* offset = taps.offset + at;
    Float8 product[4][ROWS] = {};
    for (std::int64_t c = 0; c < channels; ++c) {
      const float* from = image.data + c * image.channel_stride;
      Float8 g, v;
      load_group(g, gradient.data + c * gradient.channel_stride + tile.pixel[group], valid);
      for (int u = 0; u < 4; ++u) {
        const Float8 factor = spread(g, u);
        const float *low = from + offset[u], *high = from + offset[u + 4];
        for (int r = 0; r < ROWS; ++r) {
          load_rows(v, low + deltas.at[4 * r], high + deltas.at[4 * r]);
          product[u][r] += v * factor;
        }
      }
    }
    Int8 mask;
    load(mask, taps.mask + at);
    for (int along = 0; along < D; ++along) {
      const RowWeights<D> weights(taps.fraction, at, along);
      Float8 total[4];
      for (int u = 0; u < 4; ++u) {
        Float8 sum = {};
        for (int r = 0; r < ROWS; ++r) sum += product[u][r] * weights.rows[u][r];
        total[u] = sum * weights.along_x[u];
      }
      store(to[along] + at, select(mask, sum_halves(total), 0));
    }
  }
}

// Products of a pixel's channels with their gradients, summed, for each tap.
template <int COUNT>
TORCHSTN_INLINE void dot_channels(const float* from, const std::int64_t (&delta)[COUNT], const float* g,
                                  std::int64_t channels, float (&product)[COUNT]) {
  for (int k = 0; k < COUNT; ++k) {
    Float8 total = {}, v, w;
    std::int64_t c = 0;
    for (; c + LANES <= channels; c += LANES) {
      load(v, from + delta[k] + c);
      load(w, g + c);
      total += v * w;
    }
    product[k] = c ? sum(total) : 0;
    if (c + 4 <= channels) {
      Float4 a, b;
      load(a, from + delta[k] + c);
      load(b, g + c);
      a *= b;
      product[k] += (a[0] + a[1]) + (a[2] + a[3]);
      c += 4;
    }
    for (; c < channels; ++c) product[k] += from[delta[k] + c] * g[c];
  }
}

// The same for two channels, two taps at a time: four neighbours.
template <int COUNT>
TORCHSTN_INLINE void dot_two(const float* from, const std::int64_t (&delta)[COUNT], const float* g,
                             float (&product)[COUNT]) {
  const Float4 gradient = {g[0], g[1], g[0], g[1]};
  for (int k = 0; k + 1 < COUNT; k += 2) {
    Float4 v;
    load(v, from + delta[k]);
    v *= gradient;
    product[k] = v[0] + v[1];
    product[k + 1] = v[2] + v[3];
  }
}

// The same for three channels, four taps at a time. As in `read_channels`, four numbers are loaded for three, and
// the last tap of a row one number early. The fourth is not multiplied by zero but made zero: it may be infinite.
template <int COUNT>
TORCHSTN_INLINE void dot_three(const float* from, const std::int64_t (&delta)[COUNT], const float* g,
                               float (&product)[COUNT], int taps_x) {
  const Float4 gradient = {g[0], g[1], g[2], 0};
  const Int4 three = {-1, -1, -1, 0};
  for (int k = 0; k + 3 < COUNT; k += 4) {
    Float4 p[4];
    for (int u = 0; u < 4; ++u) {
      const bool last = (k + u) % taps_x == taps_x - 1;
      Float4 v;
      load(v, from + delta[k + u] - (last ? 1 : 0));
      if (last) v = __builtin_shufflevector(v, v, 1, 2, 3, 3);
      p[u] = reinterpret_cast<Float4>(reinterpret_cast<Int4>(v) & three) * gradient;
    }
    const Float4 a = __builtin_shufflevector(p[0], p[1], 0, 2, 4, 6) + __builtin_shufflevector(p[0], p[1], 1, 3, 5, 7);
    const Float4 b = __builtin_shufflevector(p[2], p[3], 0, 2, 4, 6) + __builtin_shufflevector(p[2], p[3], 1, 3, 5, 7);
    store(product + k, Float4(__builtin_shufflevector(a, b, 0, 2, 4, 6) + __builtin_shufflevector(a, b, 1, 3, 5, 7)));
  }
}

template <class K, int D>
void slope_last(const Tile& tile, const Taps<D, float>& taps, const Deltas<D, K>& deltas, const float* image,
                const float* gradient, std::int64_t channels, float (&to)[MAX_DIMS][BLOCK]) {
  if (channels < 2 * LANES) prefetch_taps(tile, taps, deltas, image);
  for_each_pixel(tile, [&](int t, std::int64_t pixel) {
    if (!taps.mask[t]) return no_slope(t, to);
    const float* from = image + taps.offset[t];
    const float* g = gradient + pixel * channels;
    float product[Deltas<D, K>::COUNT];
    if (channels == 3)
      dot_three(from, deltas.at, g, product, K::TAPS);
    else if (channels == 2)
      dot_two(from, deltas.at, g, product);
    else
      dot_channels(from, deltas.at, g, channels, product);
    slopes_of<D, K>(taps, t, product, to);
  });
}

template <class T, class K, int D>
void slope_strided(const Tile& tile, const Taps<D, typename Compute<T>::type>& taps, const Deltas<D, K>& deltas,
                   Planes<const T> image, Planes<const T> gradient, std::int64_t from_pixel, std::int64_t channels,
                   typename Compute<T>::type (&to)[MAX_DIMS][BLOCK]) {
  using W = typename Compute<T>::type;
  for_each_pixel(tile, [&](int t, std::int64_t pixel) {
    if (!taps.mask[t]) return no_slope(t, to);
    W product[Deltas<D, K>::COUNT] = {};
    for (std::int64_t c = 0; c < channels; ++c) {
      const T* first = image.data + c * image.channel_stride + taps.offset[t];
      const W g = widen(gradient.data[c * gradient.channel_stride + pixel * from_pixel]);
      for (int k = 0; k < Deltas<D, K>::COUNT; ++k) product[k] += g * static_cast<W>(widen(first[deltas.at[k]]));
    }
    slopes_of<D, K>(taps, t, product, to);
  });
}

TORCHSTN_END
