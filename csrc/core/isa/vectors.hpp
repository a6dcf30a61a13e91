// Eight numbers at a time, in the compiler's own vector types: one source for every instruction set.
#pragma once

#include <cstdint>
#include <cstring>

#include "../tiling.hpp"

#ifndef TORCHSTN_ISA
#error "TORCHSTN_ISA names the instruction set this file is compiled for"
#endif

// Functions that take or return vectors are inlined without exception, so no calling convention is at stake.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wpsabi"
#endif

#define TORCHSTN_BEGIN namespace torchstn { namespace TORCHSTN_ISA {
#define TORCHSTN_END } }

#if defined(_MSC_VER) && !defined(__clang__)
#error "The kernels use vector types of GCC and Clang: on Windows compile them with clang-cl"
#endif

TORCHSTN_BEGIN

typedef float Float8 __attribute__((vector_size(32)));
typedef float Float4 __attribute__((vector_size(16)));
typedef std::int32_t Int8 __attribute__((vector_size(32)));
typedef std::int32_t Int4 __attribute__((vector_size(16)));
typedef std::int64_t Long4 __attribute__((vector_size(32)));
typedef double Double4 __attribute__((vector_size(32)));
typedef double Pair4 __attribute__((vector_size(32)));  // four words of 64 bits, each two neighbouring floats

// A group of numbers of a type.
template <class W>
struct Lanes;
template <>
struct Lanes<float> {
  typedef float Real __attribute__((vector_size(LANES * sizeof(float))));
};
template <>
struct Lanes<double> {
  typedef double Real __attribute__((vector_size(LANES * sizeof(double))));
};

// Four numbers of a type, and the mask that a comparison of them gives.
template <class W>
struct Four;
template <>
struct Four<float> {
  using Real = Float4;
  using Mask = Int4;
};
template <>
struct Four<double> {
  using Real = Double4;
  using Mask = Long4;
};

// Memory need not be aligned to vectors.
template <class V>
struct Unaligned {
  V v;
} __attribute__((packed, may_alias));

template <class V, class T>
TORCHSTN_INLINE void load(V& v, const T* from) {
  v = reinterpret_cast<const Unaligned<V>*>(from)->v;
}

template <class V, class T>
TORCHSTN_INLINE void store(T* to, const V& v) {
  reinterpret_cast<Unaligned<V>*>(to)->v = v;
}

// Eight numbers of 32 bits as eight of 64.
TORCHSTN_INLINE void store_wide(std::int64_t* to, const Int8& v) {
  store(to, Long4(__builtin_convertvector(Int4(__builtin_shufflevector(v, v, 0, 1, 2, 3)), Long4)));
  store(to + 4, Long4(__builtin_convertvector(Int4(__builtin_shufflevector(v, v, 4, 5, 6, 7)), Long4)));
}

TORCHSTN_INLINE Int8 as_ints(const Float8& v) { return reinterpret_cast<Int8>(v); }

TORCHSTN_INLINE Float8 as_floats(const Int8& bits) { return reinterpret_cast<Float8>(bits); }

// Whether a mask holds nowhere.
TORCHSTN_INLINE bool none(const Long4& mask) { return (mask[0] | mask[1] | mask[2] | mask[3]) == 0; }

TORCHSTN_INLINE bool none(const Int8& mask) { return none(reinterpret_cast<Long4>(mask)); }

// `v` where the mask holds, `other` elsewhere.
template <class Mask, class Real>
TORCHSTN_INLINE Real select(const Mask& mask, const Real& v, const Real& other) {
  return reinterpret_cast<Real>((reinterpret_cast<Mask>(v) & mask) | (reinterpret_cast<Mask>(other) & ~mask));
}

TORCHSTN_INLINE Float8 select(const Int8& mask, const Float8& v, float other) {
  return select(mask, v, Float8{} + other);
}

TORCHSTN_INLINE double load_pair(const float* from) {
  double pair;
  std::memcpy(&pair, from, sizeof(pair));
  return pair;
}

// [a0 a1 b0 b1 c0 c1 d0 d1], each pair two neighbours in memory.
TORCHSTN_INLINE void load_pairs(Float8& v, const float* a, const float* b, const float* c, const float* d) {
  v = reinterpret_cast<Float8>(Pair4{load_pair(a), load_pair(b), load_pair(c), load_pair(d)});
}

// Interleaves within halves, as pairs are laid out: low holds elements 0 1 4 5, high 2 3 6 7.
TORCHSTN_INLINE void interleave(const Float8& even, const Float8& odd, Float8& low, Float8& high) {
  low = __builtin_shufflevector(even, odd, 0, 8, 1, 9, 4, 12, 5, 13);
  high = __builtin_shufflevector(even, odd, 2, 10, 3, 11, 6, 14, 7, 15);
}

// The inverse of `interleave`.
TORCHSTN_INLINE void separate(const Float8& low, const Float8& high, Float8& even, Float8& odd) {
  even = __builtin_shufflevector(low, high, 0, 2, 8, 10, 4, 6, 12, 14);
  odd = __builtin_shufflevector(low, high, 1, 3, 9, 11, 5, 7, 13, 15);
}

TORCHSTN_INLINE float sum(const Float4& v) { return (v[0] + v[2]) + (v[1] + v[3]); }

TORCHSTN_INLINE float sum(const Float8& v) {
  const Float4 half = __builtin_shufflevector(v, v, 0, 1, 2, 3) + __builtin_shufflevector(v, v, 4, 5, 6, 7);
  return sum(half);
}

TORCHSTN_END
