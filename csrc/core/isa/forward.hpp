// image, grid -> output for a range of tiles: coordinates, taps, values.
#pragma once

#include <type_traits>

#include "clip.hpp"
#include "framed.hpp"
#include "padded.hpp"
#include "read.hpp"

TORCHSTN_BEGIN

// Coordinates and taps of one tile, in the grid's type.
template <int D, class K, class W>
struct Block {
  Tile tile;
  Taps<D, W> taps;

  void find(const PixelGrid& grid, std::int64_t n, const Geometry<D>& geometry, Padding padding) {
    with_coordinates(grid, *this, [&](auto& at) {
      evaluate(grid, n, tile, at);
      find_taps<D, K>(tile, at, geometry, is_constant(padding), taps);
    });
  }

  // Carries gradients of the coordinates back to the grid.
  void carry(const BackwardJob& job, const Part& part, W (&gradient)[MAX_DIMS][BLOCK]) const {
    with_coordinates(job.grid, *this, [&](auto& at) { reduce(job, part, tile, at, gradient); });
  }

  // The first tap's index along the slowest axis; see `slow_indices`.
  void slow(const PixelGrid& grid, std::int32_t (&to)[BLOCK]) const {
    with_coordinates(grid, *this, [&](auto& at) { slow_indices<D, K>(tile, at, taps, to); });
  }

  // Four of the listed pixels, from the one numbered `first` on.
  PaddedGroup<D, K, W> padded(const PixelGrid& grid, int first, const Geometry<D>& geometry, Padding padding) const {
    return {tile, taps, first, geometry, padding, grid.grid.align_corners, [&](int t, int a) {
              return grid.grid.wide ? wide.axis[a][t] : static_cast<double>(narrow.axis[a][t]);
            }};
  }

 private:
  // Float64 images have float64 coordinates, so what would go from narrow to wide is never compiled.
  template <class Self, class Use>
  TORCHSTN_INLINE static void with_coordinates(const PixelGrid& grid, Self& self, const Use& use) {
    if constexpr (std::is_same_v<W, float>) {
      if (!grid.grid.wide) return use(self.narrow);
    }
    use(self.wide);
  }

  Coordinates<float> narrow;
  Coordinates<double> wide;
};

template <class T>
struct Layouts {
  bool planar, last;

  // Of a single pixel any layout may be told, and some channels of many lie apart.
  Layouts(const Image& image, const Image& other) {
    constexpr bool fast = std::is_same_v<T, float>;
    last = fast && image.channel_stride == 1 && other.channel_stride == 1 && image.stride[0] == image.channels &&
           image.channels > 1;
    planar = fast && !last && image.stride[0] == 1 && other.stride[0] == 1;
  }
};

// A tile of the constant outside.
template <class T>
void fill_tile(const ForwardJob& job, const Tile& tile, T* output) {
  using W = typename Compute<T>::type;
  const std::int64_t channels = job.image.channels;
  const Outside<W> outside{static_cast<const W*>(job.fill)};
  if constexpr (std::is_same_v<T, float>) {
    if (Layouts<T>(job.image, job.output).planar)
      return fill_planes(tile, Planes<float>{output, job.output.channel_stride}, channels, outside);
  }
  for (std::int64_t c = 0; c < channels; ++c) {
    T constant;
    narrow(outside[c], constant);
    T* to = output + c * job.output.channel_stride;
    for_each_pixel(tile, [&](int, std::int64_t pixel) { to[pixel * job.output.stride[0]] = constant; });
  }
}

template <class T, int D, class K>
void read_tile(const ForwardJob& job, const Block<D, K, typename Compute<T>::type>& block,
               const Geometry<D>& geometry, const T* image, T* output) {
  using W = typename Compute<T>::type;
  if (!block.taps.inside) return fill_tile(job, block.tile, output);
  const Deltas<D, K> deltas(geometry);
  const std::int64_t channels = job.image.channels;
  const Outside<W> outside{static_cast<const W*>(job.fill)};
  if constexpr (std::is_same_v<T, float>) {
    const Layouts<T> layouts(job.image, job.output);
    if constexpr (K::TAPS > 1) {
      if (layouts.last) return read_last<K>(block.tile, block.taps, deltas, image, output, channels, outside);
    }
    if (layouts.planar)
      return read_planes(K(), block.tile, block.taps, deltas, Planes<const float>{image, job.image.channel_stride},
                         Planes<float>{output, job.output.channel_stride}, channels, outside);
  }
  read_strided<T, K>(block.tile, block.taps, deltas, image, job.image.channel_stride, output,
                     job.output.channel_stride, job.output.stride[0], channels, outside);
}

template <class T, int D, class K>
void read_padded(const ForwardJob& job, const Block<D, K, typename Compute<T>::type>& block,
                 const Geometry<D>& geometry, const T* image, T* output) {
  using W = typename Compute<T>::type;
  const Outside<W> outside{static_cast<const W*>(job.fill)};
  for (int first = 0; first < block.taps.others; first += FOUR) {
    const auto group = block.padded(job.grid, first, geometry, job.padding);
    for (std::int64_t c = 0; c < job.image.channels; ++c) {
      const auto constant = typename Four<W>::Real{} + outside[c];
      typename Four<W>::Real sum = {};
      for (int k = 0; k < group.COUNT; ++k)
        sum += group.weight[k] * group.read(k, image + c * job.image.channel_stride, constant);
      sum = select(group.readable, sum, constant);
      T* to = output + c * job.output.channel_stride;
      for (int u = 0; u < group.count; ++u) narrow(sum[u], to[group.pixel[u] * job.output.stride[0]]);
    }
  }
}

template <class T, int D, class K>
void forward(const ForwardJob& whole, std::int64_t n, std::int64_t first, std::int64_t last) {
  const Framed<T, D, K> framed(whole, n, last - first);
  const ForwardJob job{whole.tiling, framed.image, whole.output, whole.grid, whole.padding, whole.fill};
  const Geometry<D> geometry(job.image, framed.is_copy);
  const T* image = static_cast<const T*>(job.image.data);
  T* output = static_cast<T*>(job.output.data) + n * job.output.batch_stride;
  Clip<D, K> clip(job.grid, n, geometry, job.padding);
  Block<D, K, typename Compute<T>::type> block;
  for (std::int64_t index = first; index < last; ++index) {
    job.tiling.tile(index, block.tile);
    if (clip.pays(block.tile)) {
      fill_tile(job, block.tile, output);
      clip.cut(block.tile);
    }
    block.find(job.grid, n, geometry, job.padding);
    read_tile<T, D, K>(job, block, geometry, image, output);
    read_padded<T, D, K>(job, block, geometry, image, output);
  }
}

TORCHSTN_END
