#include "classify/flows/sequence_keeper.hpp"

#include <catch2/catch.hpp>

using namespace callwitness::classify;

namespace {

MediaHeader numbered(std::uint32_t number, bool ping = false) {
  MediaHeader header;
  header.sequence = number;
  header.sequence_bits = 8;
  header.number_only = ping;
  return header;
}

MediaHeader timed(std::uint32_t time) {
  MediaHeader header;
  header.media_time = time;
  header.media_time_bits = 16;
  header.time_step = 20;
  return header;
}

}  // namespace

TEST_CASE("a ping that took a number leaves no hole") {
  SequenceKeeper keeper;
  CHECK(keeper.next(numbered(254)).sequence == 254);
  CHECK_FALSE(keeper.next(numbered(255, true)).is_media);
  CHECK(keeper.next(numbered(0)).sequence == 255);
  CHECK(keeper.next(numbered(1)).sequence == 0);
}

TEST_CASE("a ping outside the count and a lost packet change nothing") {
  SequenceKeeper keeper;
  CHECK(keeper.next(numbered(10)).sequence == 10);
  keeper.next(numbered(77, true));
  CHECK(keeper.next(numbered(11)).sequence == 11);
  CHECK(keeper.next(numbered(13)).sequence == 13);   // 12 was lost
  CHECK(keeper.next(numbered(12)).sequence == 12);   // or late
}

TEST_CASE("timestamps at a fixed step become numbers, over the wrap and over holes") {
  SequenceKeeper keeper;
  const auto first = *keeper.next(timed(65'516)).sequence;
  CHECK(*keeper.next(timed(0)).sequence == first + 1);
  CHECK(*keeper.next(timed(21)).sequence == first + 2);   // a millisecond of jitter
  CHECK(*keeper.next(timed(80)).sequence == first + 5);   // two lost
  CHECK(*keeper.next(timed(60)).sequence == first + 4);   // one was late
  CHECK(*keeper.next(timed(100)).media_time == 65'536u + 100);
}
