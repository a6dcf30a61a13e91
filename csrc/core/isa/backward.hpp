// Gradients of a range of tiles, to the image and to the grid.
#pragma once

#include "forward.hpp"
#include "scatter.hpp"
#include "slope.hpp"

TORCHSTN_BEGIN

// The pointers of one part of a backward job.
template <class T>
struct Sources {
  using W = typename Compute<T>::type;
  Planes<const T> image, gradient;
  Planes<W> to;
  std::int64_t gradient_pixel;
  Outside<W> outside;

  Sources(const BackwardJob& job, std::int64_t n) {
    const Image& g = job.grad_output;
    image = {static_cast<const T*>(job.image.data) + n * job.image.batch_stride, job.image.channel_stride};
    gradient = {static_cast<const T*>(g.data) + n * g.batch_stride, g.channel_stride};
    gradient_pixel = g.stride[0];
    to = {nullptr, job.grad_image.channel_stride};
    if (job.grad_image.data != nullptr)
      to.data = static_cast<W*>(job.grad_image.data) + n * job.grad_image.batch_stride;
    outside = {static_cast<const W*>(job.fill)};
  }
};

template <class T, int D, class K>
void scatter_inside(const BackwardJob& job, const Part& part,
                    const Block<D, K, typename Compute<T>::type>& block, Owner<D, K> owner, const Sources<T>& at) {
  const Tile& tile = block.tile;
  const auto& taps = block.taps;
  const Deltas<D, K> deltas{Geometry<D>(job.grad_image)};
  if constexpr (std::is_same_v<T, float>) {
    const Layouts<T> layouts(job.grad_image, job.grad_output);
    if (layouts.last)
      return scatter_last<D, K>(tile, taps, deltas, owner, at.gradient.data, at.to.data, job.image.channels);
    if (layouts.planar)
      return PlaneScatter<D, K>{tile, taps, deltas, owner, at.gradient, at.to}.run(
          part.channel_first, part.channel_last, job.image.channels);
  }
  scatter_strided<T, D, K>(tile, taps, deltas, owner, at.gradient, at.gradient_pixel, at.to, part.channel_first,
                           part.channel_last);
}

template <class T, int D, class K>
void scatter_padded(const BackwardJob& job, const Part& part, const Block<D, K, typename Compute<T>::type>& block,
                    const Sources<T>& at) {
  using W = typename Compute<T>::type;
  using Real = typename Four<W>::Real;
  const Geometry<D> geometry(job.grad_image);
  const Slab slab{part.slab_first, part.slab_last};
  for (int first = 0; first < block.taps.others; first += FOUR) {
    const auto group = block.padded(job.grid, first, geometry, job.padding);
    for (std::int64_t c = part.channel_first; c < part.channel_last; ++c) {
      const Real g = group.own(at.gradient.data + c * at.gradient.channel_stride, at.gradient_pixel);
      W* to = at.to.data + c * at.to.channel_stride;
      alignas(64) W product[group.COUNT][FOUR];
      for (int k = 0; k < group.COUNT; ++k)
        store(product[k], select(group.present[k], Real(group.weight[k] * g), Real{}));
      for (int u = 0; u < group.count; ++u)
        for (int k = 0; k < group.COUNT; ++k)
          if (slab.owns(group.slow_index(k, u))) to[group.offset[k][u]] += product[k][u];
    }
  }
}

// Lanes that do not read inside add zeros to the image's first pixel, which may belong to another part: they are sent to
// where another lane of the tile adds.
template <int D, class W>
void stay_inside(const Tile& tile, Taps<D, W>& taps) {
  int inside = 0;
  while (!taps.mask[inside]) ++inside;
  for (int t = 0; t < tile.groups * LANES; ++t)
    if (!taps.mask[t]) taps.offset[t] = taps.offset[inside];
}

template <class T, int D, class K>
void scatter(const BackwardJob& job, const Part& part, Block<D, K, typename Compute<T>::type>& block,
             const Sources<T>& at, bool whole) {
  if (block.taps.inside) {
    if (whole) {
      if (part.reach != nullptr) stay_inside(block.tile, block.taps);
      scatter_inside<T, D, K>(job, part, block, Owner<D, K>{nullptr, nullptr}, at);
    } else {
      std::int32_t slow[BLOCK];
      block.slow(job.grid, slow);
      const Slab slab{part.slab_first, part.slab_last};
      scatter_inside<T, D, K>(job, part, block, Owner<D, K>{&slab, slow}, at);
    }
  }
  scatter_padded<T, D, K>(job, part, block, at);
}

template <class T, int D, class K>
void slope_inside(const BackwardJob& job, const Block<D, K, typename Compute<T>::type>& block, const Sources<T>& at,
                  typename Compute<T>::type (&to)[MAX_DIMS][BLOCK]) {
  const Tile& tile = block.tile;
  const auto& taps = block.taps;
  const Deltas<D, K> deltas{Geometry<D>(job.image)};
  const std::int64_t channels = job.image.channels;
  if constexpr (std::is_same_v<T, float>) {
    const Layouts<T> layouts(job.image, job.grad_output);
    if (layouts.last) return slope_last<K>(tile, taps, deltas, at.image.data, at.gradient.data, channels, to);
    if (layouts.planar) return slope_planes(K(), tile, taps, deltas, at.image, at.gradient, channels, to);
  }
  slope_strided<T, K>(tile, taps, deltas, at.image, at.gradient, at.gradient_pixel, channels, to);
}

template <class T, int D, class K>
void slope_padded(const BackwardJob& job, const Block<D, K, typename Compute<T>::type>& block,
                  const Sources<T>& at, typename Compute<T>::type (&to)[MAX_DIMS][BLOCK]) {
  using Real = typename Four<typename Compute<T>::type>::Real;
  const Geometry<D> geometry(job.image);
  for (int first = 0; first < block.taps.others; first += FOUR) {
    const auto group = block.padded(job.grid, first, geometry, job.padding);
    Real product[group.COUNT] = {};
    for (std::int64_t c = 0; c < job.image.channels; ++c) {
      const Real g = group.own(at.gradient.data + c * at.gradient.channel_stride, at.gradient_pixel);
      const T* from = at.image.data + c * at.image.channel_stride;
      for (int k = 0; k < group.COUNT; ++k) product[k] += g * group.read(k, from, Real{} + at.outside[c]);
    }
    for (int a = 0; a < D; ++a) {
      Real total = {};
      for (int k = 0; k < group.COUNT; ++k) total += group.slope(a, k) * product[k];
      total = select(group.readable, total, Real{});
      for (int u = 0; u < group.count; ++u) to[a][group.lane[u]] = total[u];
    }
  }
}

template <class T, int D, class K>
void backward(const BackwardJob& job, const Part& part) {
  using W = typename Compute<T>::type;
  const Geometry<D> geometry(job.image), target(job.grad_image.data != nullptr ? job.grad_image : job.image);
  bool alike = true;
  for (int a = 0; a < D; ++a) alike &= geometry.stride[a] == target.stride[a];
  const Sources<T> at(job, part.n);
  Clip<D, K> clip(job.grid, part.n, geometry, job.padding);
  Block<D, K, W> block;
  for (std::int64_t index = part.first; index < part.last; ++index) {
    bool whole = true;
    if (part.reach != nullptr) {
      const Reach& reach = part.reach[index];
      if (reach.first >= part.slab_last || reach.last <= part.slab_first) continue;
      whole = reach.first >= part.slab_first && reach.last <= part.slab_last;
    }
    job.tiling.tile(index, block.tile);
    if (clip.pays(block.tile)) clip.cut(block.tile);
    bool found = false;
    if constexpr (K::TAPS > 1) {
      if (part.grid) {
        alignas(64) W gradient[MAX_DIMS][BLOCK];
        block.find(job.grid, part.n, geometry, job.padding);
        found = alike;
        if (block.taps.inside)
          slope_inside<T, D, K>(job, block, at, gradient);
        else
          std::memset(gradient, 0, sizeof(gradient));
        slope_padded<T, D, K>(job, block, at, gradient);
        block.carry(job, part, gradient);
      }
    }
    if (part.image) {
      if (!found) block.find(job.grid, part.n, target, job.padding);
      scatter<T, D, K>(job, part, block, at, whole);
    }
  }
}

TORCHSTN_END
