// The forward pass, split into ranges of tiles.

#include "fold.hpp"
#include "instruction_sets.hpp"
#include "memory.hpp"
#include "split.hpp"
#include "threads.hpp"

namespace torchstn {

void forward(const Image& image, const Image& output, const Grid& grid, const Settings& settings) {
  expect_large(output.data, output.bytes(item_size(output.type)));
  const FoldedGrid folded(grid, image);
  const Tiling tiling(grid.size);
  const ForwardJob job{tiling, image, output, folded.pixel_grid(), settings.padding, settings.fill};
  const auto run = kernels().forward[static_cast<int>(image.type)][static_cast<int>(settings.kernel)][grid.dims - 2];
  const std::int64_t batch = output.batch;
  const int threads = useful_threads(settings.threads, batch * grid.pixels() * image.channels);
  if (grid.kind == GridKind::basis && batch > 1) {
    // Tile by tile through the whole batch: what is stored of the functions is read once, not once per image.
    parallel_for(tiling.tiles(), threads, [&](std::int64_t tile) {
      for (std::int64_t n = 0; n < batch; ++n) run(job, n, tile, tile + 1);
    });
    return;
  }
  const Split split(tiling.tiles(), threads == 1 ? 1 : pieces_for(batch, threads));
  parallel_for(batch * split.pieces, threads, [&](std::int64_t unit) {
    const std::int64_t piece = unit % split.pieces;
    run(job, unit / split.pieces, split.first(piece), split.last(piece));
  });
}

}  // namespace torchstn
