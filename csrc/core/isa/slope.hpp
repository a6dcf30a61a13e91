// The gradient of the coordinates: of each output pixel, summed over its channels.
#pragma once

#include "padded.hpp"
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
void slope_planes(Linear, const Tile& tile, const Taps<D, float>& taps, const Deltas<D, Linear>& deltas, Planes<const float> image,
                  Planes<const float> gradient, std::int64_t channels, float (&to)[MAX_DIMS][BLOCK]) {
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
      Float8 g = {}, g_low, g_high, a, b;
      if (valid >= LANES)
        load(g, gradients);
      else
        std::memcpy(&g, gradients, static_cast<std::size_t>(valid) * sizeof(float));
      interleave(g, g, g_low, g_high);
      for (int q = 0; q < PAIRS; ++q) {
        load_group(from + deltas.at[2 * q], offset, a, b);
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
void slope_planes(Cubic, const Tile& tile, const Taps<D, float>& taps, const Deltas<D, Cubic>& deltas, Planes<const float> image,
                  Planes<const float> gradient, std::int64_t channels, float (&to)[MAX_DIMS][BLOCK]) {
  constexpr int ROWS = power(4, D - 1);
  for (std::int64_t c = 0; c < channels && c < CHANNELS_AT_ONCE; ++c)
    prefetch_taps(tile, taps, deltas, image.data + c * image.channel_stride);
  for_each_pixel(tile, [&](int t, std::int64_t pixel) {
    if (!taps.mask[t]) return no_slope(t, to);
    Float4 total[ROWS] = {}, row;
    for (std::int64_t c = 0; c < channels; ++c) {
      const float* first = image.data + c * image.channel_stride + taps.offset[t];
      const float g = gradient.data[c * gradient.channel_stride + pixel];
      for (int r = 0; r < ROWS; ++r) {
        load(row, first + deltas.at[4 * r]);
        total[r] += row * g;
      }
    }
    float product[4 * ROWS];
    for (int r = 0; r < ROWS; ++r) store(product + 4 * r, total[r]);
    slopes_of<D, Cubic>(taps, t, product, to);
  });
}

template <class K, int D>
void slope_last(const Tile& tile, const Taps<D, float>& taps, const Deltas<D, K>& deltas, const float* image, const float* gradient,
                std::int64_t channels, float (&to)[MAX_DIMS][BLOCK]) {
  constexpr int COUNT = Deltas<D, K>::COUNT;
  if (channels < 2 * LANES) prefetch_taps(tile, taps, deltas, image);
  for_each_pixel(tile, [&](int t, std::int64_t pixel) {
    if (!taps.mask[t]) return no_slope(t, to);
    const float* g = gradient + pixel * channels;
    float product[COUNT];
    for (int k = 0; k < COUNT; ++k) {
      const float* from = image + taps.offset[t] + deltas.at[k];
      Float8 total = {}, v, w;
      std::int64_t c = 0;
      for (; c + LANES <= channels; c += LANES) {
        load(v, from + c);
        load(w, g + c);
        total += v * w;
      }
      product[k] = c ? sum(total) : 0;
      for (; c < channels; ++c) product[k] += from[c] * g[c];
    }
    slopes_of<D, K>(taps, t, product, to);
  });
}

template <class T, class K, int D>
void slope_strided(const Tile& tile, const Taps<D, typename Compute<T>::type>& taps, const Deltas<D, K>& deltas, Planes<const T> image,
                   Planes<const T> gradient, std::int64_t from_pixel, std::int64_t channels,
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
