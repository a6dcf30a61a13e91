// Reading: the output of a tile, one function per layout. Pixels that do not read inside the image get the
// constant outside; those whose taps are replaced get their own value afterwards.
#pragma once

#include "taps.hpp"
#include "types.hpp"

TORCHSTN_BEGIN

// A plane after another, with its pixels along x side by side.
template <class T>
struct Planes {
  T* data;
  std::int64_t channel_stride;
};

constexpr int CHANNELS_AT_ONCE = 8;  // few enough planes for the first-level cache, enough to share weights

// Groups of LANES outputs go straight to memory, the last one only as far as there are pixels.
TORCHSTN_INLINE void store_group(float* to, int rest, const Float8& v) {
  float part[LANES];
  store(rest >= LANES ? to : part, v);
  for (int u = 0; u < rest && rest < LANES; ++u) to[u] = part[u];
}

TORCHSTN_INLINE void load_group(Float8& v, const float* from, int valid) {
  if (valid >= LANES) return load(v, from);
  v = Float8{};
  for (int u = 0; u < valid; ++u) v[u] = from[u];
}

// Weights of the pairs of neighbours along x, one vector pair per corner of the other axes.
template <int D>
struct PairWeights {
  static constexpr int COUNT = power(2, D - 1);
  Float8 low[COUNT], high[COUNT];

  TORCHSTN_INLINE explicit PairWeights(const float (&fraction)[D][BLOCK], int at) {
    Float8 w[D][2];
    for (int a = 0; a < D; ++a) {
      Float8 f;
      load(f, fraction[a] + at);
      Linear::weights(f, w[a]);
    }
    for (int q = 0; q < COUNT; ++q) {
      Float8 others = w[1][q & 1];
      if (D == 3) others *= w[D - 1][q >> 1];
      interleave(w[0][0] * others, w[0][1] * others, low[q], high[q]);
    }
  }
};

// The pairs of neighbours of a group of pixels, laid out as `interleave` lays out weights.
TORCHSTN_INLINE void load_pairs_of(const float* from, const std::int64_t* offset, Float8& low, Float8& high) {
  load_pairs(low, from + offset[0], from + offset[1], from + offset[4], from + offset[5]);
  load_pairs(high, from + offset[2], from + offset[3], from + offset[6], from + offset[7]);
}

// Asks for the lines of memory a tile will read, all at once: one after the other, each would be waited for.
// Neighbouring outputs share lines, and the row above was mostly asked for by the output row above.
template <int D, class K, bool WRITE = false>
TORCHSTN_INLINE void prefetch_taps(const Tile& tile, const Taps<D, float>& taps, const Deltas<D, K>& deltas,
                                   const float* image) {
  constexpr int STEP = 4;
  for (int t = 0; t < tile.groups * LANES; t += STEP)
    __builtin_prefetch(image + taps.offset[t] + deltas.at[Deltas<D, K>::COUNT - 1], WRITE);
}

// The same for what belongs to its own pixels; rows one after the other the processor sees coming by itself.
template <bool WRITE = false>
TORCHSTN_INLINE void prefetch_pixels(const Tile& tile, const float* plane) {
  for (int group = 0; tile.rectangle && group < tile.groups; group += 2)
    __builtin_prefetch(plane + tile.pixel[group], WRITE);
}

// More memory than is likely to be near already.
TORCHSTN_INLINE bool is_far(std::int64_t channels, std::int64_t channel_stride) {
  return channels * channel_stride > (1 << 16);
}

// The constant outside, by channel.
template <class W>
struct Outside {
  const W* fill;  // null: zeros

  TORCHSTN_INLINE W operator[](std::int64_t c) const { return fill ? fill[c] : W(0); }
};

// A tile that nowhere reads inside.
inline void fill_planes(const Tile& tile, Planes<float> output, std::int64_t channels, Outside<float> outside) {
  for (std::int64_t c = 0; c < channels; ++c) {
    const Float8 constant = Float8{} + outside[c];
    for (int group = 0; group < tile.groups; ++group)
      store_group(output.data + c * output.channel_stride + tile.pixel[group], tile.valid[group], constant);
  }
}

template <int D>
void read_planes(Linear, const Tile& tile, const Taps<D, float>& taps, const Deltas<D, Linear>& deltas,
                 Planes<const float> image, Planes<float> output, std::int64_t channels, Outside<float> outside) {
  const bool far = is_far(channels, image.channel_stride);
  for (std::int64_t c0 = 0; c0 < channels; c0 += CHANNELS_AT_ONCE) {
    const std::int64_t end = c0 + CHANNELS_AT_ONCE < channels ? c0 + CHANNELS_AT_ONCE : channels;
    for (std::int64_t c = c0; far && c < end; ++c) {
      prefetch_taps(tile, taps, deltas, image.data + c * image.channel_stride);
      prefetch_pixels<true>(tile, output.data + c * output.channel_stride);
    }
    for (int group = 0; group < tile.groups; ++group) {
      const int at = group * LANES, valid = tile.valid[group];
      const std::int64_t* offset = taps.offset + at;
      const PairWeights<D> weights(taps.fraction, at);
      Int8 mask;
      load(mask, taps.mask + at);
      for (std::int64_t c = c0; c < end; ++c) {
        const float* from = image.data + c * image.channel_stride;
        Float8 low = {}, high = {}, a, b;
        for (int q = 0; q < PairWeights<D>::COUNT; ++q) {
          load_pairs_of(from + deltas.at[2 * q], offset, a, b);
          low += a * weights.low[q];
          high += b * weights.high[q];
        }
        Float8 even, odd;
        separate(low, high, even, odd);
        store_group(output.data + c * output.channel_stride + tile.pixel[group], valid,
                    select(mask, even + odd, outside[c]));
      }
    }
  }
}

template <int D>
void read_planes(Nearest, const Tile& tile, const Taps<D, float>& taps, const Deltas<D, Nearest>& deltas,
                 Planes<const float> image, Planes<float> output, std::int64_t channels, Outside<float> outside) {
  for (std::int64_t c = 0; c < channels; ++c) {
    const float* from = image.data + c * image.channel_stride;
    float* to = output.data + c * output.channel_stride;
    if (is_far(channels, image.channel_stride)) {
      prefetch_taps(tile, taps, deltas, from);
      prefetch_pixels<true>(tile, to);
    }
    for (int group = 0; group < tile.groups; ++group) {
      const std::int64_t* o = taps.offset + group * LANES;
      Int8 mask;
      load(mask, taps.mask + group * LANES);
      const Float8 v = {from[o[0]], from[o[1]], from[o[2]], from[o[3]], from[o[4]], from[o[5]], from[o[6]], from[o[7]]};
      store_group(to + tile.pixel[group], tile.valid[group], select(mask, v, outside[c]));
    }
  }
}

// Two rows of four neighbours, one of them in each half.
TORCHSTN_INLINE void load_rows(Float8& v, const float* low, const float* high) {
  Float4 a, b;
  load(a, low);
  load(b, high);
  v = __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7);
}

// One number of each half, everywhere in its half: pixel u and pixel u + 4 of a group.
TORCHSTN_INLINE Float8 spread(const Float8& v, int u) {
  return u == 0   ? __builtin_shufflevector(v, v, 0, 0, 0, 0, 4, 4, 4, 4)
         : u == 1 ? __builtin_shufflevector(v, v, 1, 1, 1, 1, 5, 5, 5, 5)
         : u == 2 ? __builtin_shufflevector(v, v, 2, 2, 2, 2, 6, 6, 6, 6)
                  : __builtin_shufflevector(v, v, 3, 3, 3, 3, 7, 7, 7, 7);
}

// Sums of the halves of four vectors: [a b c d of the low halves, then of the high ones].
TORCHSTN_INLINE Float8 sum_halves(const Float8 (&v)[4]) {
  Float8 even, odd;
  separate(v[0], v[1], even, odd);
  const Float8 first = even + odd;
  separate(v[2], v[3], even, odd);
  const Float8 second = even + odd;
  separate(first, second, even, odd);
  return even + odd;
}

// Weights of a group for the cubic, for pixels u and u + 4 at once: along x, tap by tap within each half; of the
// rows, each spread over its half.
template <int D>
struct RowWeights {
  static constexpr int ROWS = power(4, D - 1);
  Float8 along_x[4], rows[4][ROWS];

  // `slope` is the axis whose weights are differentiated; -1 for none.
  TORCHSTN_INLINE RowWeights(const float (&fraction)[D][BLOCK], int at, int slope) {
    Float8 w[D][4];
    for (int a = 0; a < D; ++a) {
      Float8 f;
      load(f, fraction[a] + at);
      if (a == slope)
        Cubic::slopes(f, w[a]);
      else
        Cubic::weights(f, w[a]);
    }
    Float8 a, b, c, d;
    interleave(w[0][0], w[0][1], a, b);
    interleave(w[0][2], w[0][3], c, d);
    along_x[0] = __builtin_shufflevector(a, c, 0, 1, 8, 9, 4, 5, 12, 13);
    along_x[1] = __builtin_shufflevector(a, c, 2, 3, 10, 11, 6, 7, 14, 15);
    along_x[2] = __builtin_shufflevector(b, d, 0, 1, 8, 9, 4, 5, 12, 13);
    along_x[3] = __builtin_shufflevector(b, d, 2, 3, 10, 11, 6, 7, 14, 15);
    for (int u = 0; u < 4; ++u)
      for (int r = 0; r < ROWS; ++r) {
        rows[u][r] = spread(w[1][r % 4], u);
        if (D == 3) rows[u][r] *= spread(w[D - 1][r / 4], u);
      }
  }
};

template <int D>
void read_planes(Cubic, const Tile& tile, const Taps<D, float>& taps, const Deltas<D, Cubic>& deltas,
                 Planes<const float> image, Planes<float> output, std::int64_t channels, Outside<float> outside) {
  for (std::int64_t c = 0; c < channels && c < CHANNELS_AT_ONCE; ++c)
    prefetch_taps(tile, taps, deltas, image.data + c * image.channel_stride);
  for (int group = 0; group < tile.groups; ++group) {
    const int at = group * LANES, valid = tile.valid[group];
    const std::int64_t* offset = taps.offset + at;
    const RowWeights<D> weights(taps.fraction, at, -1);
    Int8 mask;
    load(mask, taps.mask + at);
    for (std::int64_t c = 0; c < channels; ++c) {
      const float* from = image.data + c * image.channel_stride;
      Float8 total[4];
      for (int u = 0; u < 4; ++u) {
        const float *low = from + offset[u], *high = from + offset[u + 4];
        Float8 sum = {}, v;
        for (int r = 0; r < RowWeights<D>::ROWS; ++r) {
          load_rows(v, low + deltas.at[4 * r], high + deltas.at[4 * r]);
          sum += v * weights.rows[u][r];
        }
        total[u] = sum * weights.along_x[u];
      }
      store_group(output.data + c * output.channel_stride + tile.pixel[group], valid,
                  select(mask, sum_halves(total), outside[c]));
    }
  }
}

// Channels side by side: all of a pixel's channels share its weights.
template <int COUNT>
TORCHSTN_INLINE void read_channels(const float* from, const std::int64_t (&delta)[COUNT], const float (&w)[COUNT],
                                   float* to, std::int64_t channels, int taps_x) {
  const auto eight = [&](std::int64_t c) {
    Float8 total = {}, v;
    for (int k = 0; k < COUNT; ++k) {
      load(v, from + delta[k] + c);
      total += v * w[k];
    }
    store(to + c, total);
  };
  const auto four = [&](std::int64_t c) {
    Float4 total = {}, v;
    for (int k = 0; k < COUNT; ++k) {
      load(v, from + delta[k] + c);
      total += v * w[k];
    }
    store(to + c, total);
  };
  if (channels >= LANES) {
    std::int64_t c = 0;
    for (; c + LANES <= channels; c += LANES) eight(c);
    if (c < channels) eight(channels - LANES);  // again over some channels: cheaper than a remainder
  } else if (channels >= 4) {
    four(0);
    if (channels > 4) four(channels - 4);
  } else if (channels == 3) {
    // Four numbers are loaded for three channels. The last tap of a row is loaded one number early, so that
    // nothing beyond the image is read.
    Float4 total = {}, v;
    for (int k = 0; k < COUNT; ++k) {
      const bool last = k % taps_x == taps_x - 1;
      load(v, from + delta[k] - (last ? 1 : 0));
      if (last) v = __builtin_shufflevector(v, v, 1, 2, 3, 3);
      total += v * w[k];
    }
    to[0] = total[0];
    to[1] = total[1];
    to[2] = total[2];
  } else if (channels == 2 && COUNT % 2 == 0) {
    Float4 total = {}, v;
    for (int k = 0; k + 1 < COUNT; k += 2) {  // two taps of two channels lie side by side
      load(v, from + delta[k]);
      total += v * Float4{w[k], w[k], w[k + 1], w[k + 1]};
    }
    to[0] = total[0] + total[2];
    to[1] = total[1] + total[3];
  } else {
    for (std::int64_t c = 0; c < channels; ++c) {
      float total = 0;
      for (int k = 0; k < COUNT; ++k) total += w[k] * from[delta[k] + c];
      to[c] = total;
    }
  }
}

// The output pixel of a lane.
TORCHSTN_INLINE std::int64_t pixel_of(const Tile& tile, int t) { return tile.pixel[t / LANES] + t % LANES; }

// Calls `visit(lane, pixel)` for the pixels of a tile.
template <class Visit>
TORCHSTN_INLINE void for_each_pixel(const Tile& tile, const Visit& visit) {
  for (int group = 0; group < tile.groups; ++group)
    for (int u = 0; u < tile.valid[group]; ++u) visit(group * LANES + u, tile.pixel[group] + u);
}

template <class K, int D>
void read_last(const Tile& tile, const Taps<D, float>& taps, const Deltas<D, K>& deltas, const float* image,
               float* output, std::int64_t channels, Outside<float> outside) {
  if (channels < 2 * LANES) prefetch_taps(tile, taps, deltas, image);
  for_each_pixel(tile, [&](int t, std::int64_t pixel) {
    float* to = output + pixel * channels;
    if (!taps.mask[t]) {
      for (std::int64_t c = 0; c < channels; ++c) to[c] = outside[c];
      return;
    }
    float w[Deltas<D, K>::COUNT];
    product_weights<D, K>(taps, t, w);
    read_channels(image + taps.offset[t], deltas.at, w, to, channels, K::TAPS);
  });
}

// Any type and any strides; also where channels lie side by side and no pixel reads inside. The nearest pixel is
// copied, whatever its type.
template <class T, class K, int D>
void read_strided(const Tile& tile, const Taps<D, typename Compute<T>::type>& taps, const Deltas<D, K>& deltas,
                  const T* image, std::int64_t from_channel, T* output, std::int64_t to_channel,
                  std::int64_t to_pixel, std::int64_t channels, Outside<typename Compute<T>::type> outside) {
  using W = typename Compute<T>::type;
  for_each_pixel(tile, [&](int t, std::int64_t pixel) {
    T* to = output + pixel * to_pixel;
    if (!taps.mask[t]) {
      for (std::int64_t c = 0; c < channels; ++c) narrow(outside[c], to[c * to_channel]);
      return;
    }
    const T* from = image + taps.offset[t];
    if constexpr (K::TAPS == 1) {
      for (std::int64_t c = 0; c < channels; ++c) to[c * to_channel] = from[c * from_channel];
    } else {
      W w[Deltas<D, K>::COUNT];
      product_weights<D, K>(taps, t, w);
      for (std::int64_t c = 0; c < channels; ++c) {
        W total[2] = {};  // left and right neighbours apart, as the loops over vectors sum them
        for (int k = 0; k < Deltas<D, K>::COUNT; ++k)
          total[k % 2] += w[k] * widen(from[c * from_channel + deltas.at[k]]);
        narrow(total[0] + total[1], to[c * to_channel]);
      }
    }
  });
}

TORCHSTN_END
