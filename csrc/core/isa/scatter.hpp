// The gradient of the image: every output pixel adds its gradient, times its weights, to the pixels it read.
//
// What is added to one pixel is added in an order that depends on sizes alone, so the bits do not depend on how the work
// was split. A part may own a slab of the slowest axis only: it then goes through all output pixels and adds
// what falls into its slab.
#pragma once

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

// Neighbouring outputs add to the same pixels, and each addition waits for the one before it to reach memory. So
// several lanes take turns: some planes, and in each of them some distant parts of the tile.
struct Turns {
  static constexpr int MOST = 4;
  int planes, streams, stretch;  // a stretch is a stream's groups

  Turns(std::int64_t channels, int groups) {
    planes = channels < MOST ? static_cast<int>(channels) : MOST;
    streams = MOST / planes;
    stretch = (groups + streams - 1) / streams;
  }
};

// Calls `prepare(lane, plane, group)` for the lanes of each step, then `add(lane, u)` for each pixel u of their
// groups, in turn. The order is that of sizes alone.
template <class Prepare, class Add>
TORCHSTN_INLINE void take_turns(const Turns& turns, int groups, std::int64_t planes, const Prepare& prepare,
                                const Add& add) {
  for (int step = 0; step < turns.stretch; ++step) {
    int lanes = 0;
    for (int group = step; group < groups; group += turns.stretch)
      for (int plane = 0; plane < planes; ++plane) prepare(lanes++, plane, group);
    for (int u = 0; u < LANES; ++u)
      for (int lane = 0; lane < lanes; ++lane) add(lane, u);
  }
}

template <int D, class K>
struct PlaneScatter {
  static constexpr int COUNT = Deltas<D, K>::COUNT;
  // What a group adds: tap by tap, or for the cubic four neighbours at a time.
  static constexpr bool IN_ROWS = K::TAPS == 4;
  static constexpr int ROWS = COUNT / 4;
  union Products {
    float tap[COUNT][LANES];
    float row[LANES][ROWS > 0 ? ROWS : 1][4];
  };

  const Tile& tile;
  const Taps<D, float>& taps;
  const Deltas<D, K>& deltas;
  Owner<D, K> owner;
  Planes<const float> gradient;
  Planes<float> to;

  // Of planes [c0, c1). How many there are in all decides who takes turns: c0 and c1 depend on the threads.
  void run(std::int64_t c0, std::int64_t c1, std::int64_t channels) const {
    const Turns turns(channels, tile.groups);
    for (std::int64_t c = c0; c < c1; c += turns.planes) {
      const std::int64_t planes = c1 - c < turns.planes ? c1 - c : turns.planes;
      for (std::int64_t plane = 0; plane < planes && is_far(c1 - c0, to.channel_stride); ++plane) {
        prefetch_taps<D, K, true>(tile, taps, deltas, to.data + (c + plane) * to.channel_stride);
        prefetch_pixels(tile, gradient.data + (c + plane) * gradient.channel_stride);
      }
      if (owner.slab == nullptr)
        add<false>(turns, c, planes);
      else
        add<true>(turns, c, planes);
    }
  }

 private:
  template <bool LIMITED>
  TORCHSTN_INLINE void add(const Turns& turns, std::int64_t c, std::int64_t planes) const {
    alignas(32) Products products[Turns::MOST];
    float* base[Turns::MOST];
    int at[Turns::MOST];
    take_turns(
        turns, tile.groups, planes,
        [&](int lane, int plane, int group) {
          multiply(products[lane], c + plane, group);
          base[lane] = to.data + (c + plane) * to.channel_stride;
          at[lane] = group * LANES;
        },
        [&](int lane, int u) {
          const int t = at[lane] + u;
          float* first = base[lane] + taps.offset[t];
          if constexpr (IN_ROWS) {
            for (int r = 0; r < ROWS; ++r)
              if (!LIMITED || owner.owns(t, 4 * r)) add_row(first + deltas.at[4 * r], products[lane].row[u][r]);
          } else {
            for (int k = 0; k < COUNT; ++k)
              if (!LIMITED || owner.owns(t, k)) first[deltas.at[k]] += products[lane].tap[k][u];
          }
        });
  }

  TORCHSTN_INLINE static void add_row(float* to, const float* row) {
    Float4 sum, value;
    load(sum, to);
    load(value, row);
    store(to, Float4(sum + value));
  }

  TORCHSTN_INLINE void load_gradient(Float8& g, std::int64_t c, int group) const {
    Int8 mask;
    load(mask, taps.mask + group * LANES);
    load_group(g, gradient.data + c * gradient.channel_stride + tile.pixel[group], tile.valid[group]);
    g = select(mask, g, 0);
  }

  // Gradients times weights.
  TORCHSTN_INLINE void multiply(Products& products, std::int64_t c, int group) const {
    if constexpr (IN_ROWS) {
      multiply_rows(products, c, group);
    } else {
      Float8 g, w[D][K::TAPS], f;
      load_gradient(g, c, group);
      for (int a = 0; a < D; ++a) {
        load(f, taps.fraction[a] + group * LANES);
        K::weights(f, w[a]);
      }
      for (int k = 0; k < COUNT; ++k) {
        Float8 value = g * w[0][k % K::TAPS] * w[1][k / K::TAPS % K::TAPS];
        if (D == 3) value *= w[D - 1][k / (K::TAPS * K::TAPS)];
        store(products.tap[k], value);
      }
    }
  }

  // Never inlined: two copies might round the cubic's polynomials differently, as the compiler joins products and
  // sums as it likes.
  __attribute__((noinline)) void multiply_rows(Products& products, std::int64_t c, int group) const {
    const RowWeights<D> weights(taps.fraction, group * LANES, -1);
    Float8 g;
    load_gradient(g, c, group);
    for (int u = 0; u < 4; ++u) {
      const Float8 along_x = weights.along_x[u] * spread(g, u);
      for (int r = 0; r < ROWS; ++r) {
        const Float8 value = along_x * weights.rows[u][r];
        store(products.row[u][r], Float4(__builtin_shufflevector(value, value, 0, 1, 2, 3)));
        store(products.row[u + 4][r], Float4(__builtin_shufflevector(value, value, 4, 5, 6, 7)));
      }
    }
  }
};

// Adds one tap's share to all channels of a pixel.
TORCHSTN_INLINE void add_channels(float* sum, const float* g, float w, std::int64_t channels) {
  std::int64_t c = 0;
  for (; c + LANES <= channels; c += LANES) {
    Float8 v, s;
    load(v, g + c);
    load(s, sum + c);
    store(sum + c, Float8(s + v * w));
  }
  if (c + 4 <= channels) {
    Float4 v, s;
    load(v, g + c);
    load(s, sum + c);
    store(sum + c, Float4(s + v * w));
    c += 4;
  }
  for (; c < channels; ++c) sum[c] += w * g[c];
}

// Adds a row of two taps of two channels: four neighbours.
TORCHSTN_INLINE void add_row_of_two(float* sum, const float* g, float left, float right) {
  Float4 s;
  load(s, sum);
  store(sum, Float4(s + Float4{g[0], g[1], g[0], g[1]} * Float4{left, left, right, right}));
}

// Adds a row of two taps of three channels: six neighbours.
TORCHSTN_INLINE void add_row_of_three(float* sum, const float* g, float left, float right) {
  Float4 s;
  load(s, sum);
  store(sum, Float4(s + Float4{g[0], g[1], g[2], g[0]} * Float4{left, left, left, right}));
  sum[4] += right * g[1];
  sum[5] += right * g[2];
}

// Channels side by side, floats. Distant pixels take turns, as above. Here and below there is one copy of the loops for
// parts that own a slab and parts that own all, for the reason given at `multiply_rows`.
template <int D, class K>
void scatter_last(const Tile& tile, const Taps<D, float>& taps, const Deltas<D, K>& deltas, Owner<D, K> owner,
                  const float* gradient, float* to, std::int64_t channels) {
  constexpr int STREAMS = 4;
  const int stretch = (tile.groups + STREAMS - 1) / STREAMS * LANES;
  if (channels < 2 * LANES) prefetch_taps<D, K, true>(tile, taps, deltas, to);
  for (int step = 0; step < stretch; ++step)
    for (int t = step; t < tile.groups * LANES; t += stretch) {
      if (!taps.mask[t]) continue;
      float w[Deltas<D, K>::COUNT];
      product_weights<D, K>(taps, t, w);
      const float* g = gradient + pixel_of(tile, t) * channels;
      float* first = to + taps.offset[t];
      if ((channels == 2 || channels == 3) && K::TAPS == 2) {
        for (int k = 0; k + 1 < Deltas<D, K>::COUNT; k += 2) {
          if (!owner.owns(t, k)) continue;
          if (channels == 2)
            add_row_of_two(first + deltas.at[k], g, w[k], w[k + 1]);
          else
            add_row_of_three(first + deltas.at[k], g, w[k], w[k + 1]);
        }
      } else {
        for (int k = 0; k < Deltas<D, K>::COUNT; ++k)
          if (owner.owns(t, k)) add_channels(first + deltas.at[k], g, w[k], channels);
      }
    }
}

// Any type of gradient, any layout.
template <class T, int D, class K>
void scatter_strided(const Tile& tile, const Taps<D, typename Compute<T>::type>& taps, const Deltas<D, K>& deltas,
                     Owner<D, K> owner, Planes<const T> gradient, std::int64_t from_pixel,
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
        if (owner.owns(t, k)) first[deltas.at[k]] += w[k] * g;
    }
  });
}

TORCHSTN_END
