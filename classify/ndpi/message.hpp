// What the labeller and its child say to each other: one message of a SOCK_SEQPACKET pair is one batch. Both ends are
// the same binary, so native structures travel as they are.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

namespace callwitness::classify::ndpi {

inline constexpr std::size_t batch_limit = 128 * 1024;  ///< bytes of one message
inline constexpr std::size_t name_limit = 32;
inline constexpr std::size_t names_limit = 512;

/// Parent to worker: `jobs` times a JobHeader and `packets` times a PacketHeader with its bytes.
struct BatchHeader {
  std::uint32_t generation;  ///< of the worker it is meant for; a successor skips it, and it is sent again
  std::uint32_t jobs;
};
struct JobHeader {
  std::uint32_t number;      ///< from 1, in order
  std::uint32_t bytes;       ///< that follow
};
struct PacketHeader {
  std::uint32_t milliseconds;  ///< since the flow's first packet
  std::uint32_t length;        ///< of the IP packet that follows
};

enum class Kind : std::uint32_t { ready, answers, died };

/// Child to parent. `answers` is followed by `count` times WireAnswer.
struct ReplyHeader {
  Kind kind;
  std::uint32_t generation;
  std::uint32_t count;       ///< died: the job that it was at; 0: none
  std::int32_t status;       ///< died: as waitpid tells it
};
struct WireAnswer {
  std::uint32_t job;
  std::uint16_t master, application;
  std::uint32_t certainty;
};

/// Memory that both see. `names` is written before the first worker exists and read once, at `ready`.
struct Shared {
  std::atomic<std::uint32_t> current_job;
  std::array<std::array<char, name_limit>, names_limit> names;
};

}  // namespace callwitness::classify::ndpi
