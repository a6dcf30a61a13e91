// Image types: what their sums are made in, and how values enter and leave them.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#include "vectors.hpp"
#if defined(__F16C__)
#include <immintrin.h>
#endif

TORCHSTN_BEGIN

struct BFloat16 {
  std::uint16_t bits;
};
struct Float16 {
  std::uint16_t bits;
};

template <class To, class From>
TORCHSTN_INLINE To bits_as(const From& from) {
  static_assert(sizeof(To) == sizeof(From), "the same bits");
  To to;
  std::memcpy(&to, &from, sizeof(to));
  return to;
}

template <class T>
struct Compute {
  using type = float;
};
template <>
struct Compute<double> {
  using type = double;
};

TORCHSTN_INLINE float widen(float value) { return value; }
TORCHSTN_INLINE double widen(double value) { return value; }
TORCHSTN_INLINE float widen(std::uint8_t value) { return static_cast<float>(value); }
TORCHSTN_INLINE float widen(BFloat16 value) {
  return bits_as<float>(static_cast<std::uint32_t>(value.bits) << 16);
}
TORCHSTN_INLINE float widen(Float16 value) {
#if defined(__F16C__)
  return _cvtsh_ss(value.bits);
#elif defined(__aarch64__)
  return static_cast<float>(bits_as<__fp16>(value.bits));
#else
  const std::uint32_t sign = static_cast<std::uint32_t>(value.bits & 0x8000u) << 16;
  const std::uint32_t rest = value.bits & 0x7fffu;
  if (rest >= 0x7c00u) return bits_as<float>(sign | 0x7f800000u | (rest & 0x3ffu) << 13);
  if (rest >= 0x400u) return bits_as<float>(sign | ((rest << 13) + 0x38000000u));
  const float small = static_cast<float>(rest) * 5.9604644775390625e-8f;  // subnormal: in units of 2^-24
  return bits_as<float>(sign | bits_as<std::uint32_t>(small));
#endif
}

TORCHSTN_INLINE void narrow(float value, float& to) { to = value; }
TORCHSTN_INLINE void narrow(double value, double& to) { to = value; }
TORCHSTN_INLINE void narrow(float value, std::uint8_t& to) {
  const float whole = __builtin_rintf(value);  // halves to even, as torch.round
  to = static_cast<std::uint8_t>(whole > 0 ? (whole < 255 ? whole : 255.0f) : 0.0f);
}
TORCHSTN_INLINE void narrow(float value, BFloat16& to) {
  const auto bits = bits_as<std::uint32_t>(value);
  if (value != value)
    to.bits = 0x7fc0u;
  else
    to.bits = static_cast<std::uint16_t>((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
}
TORCHSTN_INLINE void narrow(float value, Float16& to) {
#if defined(__F16C__)
  to.bits = static_cast<std::uint16_t>(_cvtss_sh(value, 0));
#elif defined(__aarch64__)
  to.bits = bits_as<std::uint16_t>(static_cast<__fp16>(value));
#else
  const auto bits = bits_as<std::uint32_t>(value);
  const std::uint32_t sign = bits >> 16 & 0x8000u, rest = bits & 0x7fffffffu;
  std::uint32_t half;
  if (rest > 0x7f800000u) {
    half = 0x7e00u;
  } else if (rest >= 0x47800000u) {
    half = 0x7c00u;  // 2^16 and more
  } else if (rest >= 0x38800000u) {
    half = (rest - 0x38000000u + 0xfffu + (rest >> 13 & 1u)) >> 13;
  } else {
    // Adding 0.5 leaves the subnormal, rounded to even, in the lowest bits of the sum.
    half = bits_as<std::uint32_t>(bits_as<float>(rest) + 0.5f) - 0x3f000000u;
  }
  to.bits = static_cast<std::uint16_t>(sign | half);
#endif
}

TORCHSTN_END
