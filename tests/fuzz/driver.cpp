// Runs a fuzz target without libFuzzer: NAME RUNS [DIRECTORY [FIRST]]. Inputs are made of the captures below DIRECTORY
// (seeds.hpp) and of short random strings, mutated; the same ones on every run that begins with the same number.
// NAME --seeds DIRECTORY TO writes what it would begin with into the folder TO, for libFuzzer to begin with.
#include "seeds.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using callwitness::fuzz::Input;
constexpr std::size_t longest = 4096;

void mutate(Input& input, std::mt19937& random) {
  constexpr std::uint8_t interesting[] = {0, 1, 0x7f, 0x80, 0xff};
  const unsigned changes = 1 + random() % 8;
  for (unsigned i = 0; i < changes && !input.empty(); ++i) {
    const std::size_t place = random() % input.size();
    switch (random() % 5) {
      case 0: input[place] = static_cast<std::uint8_t>(random()); break;
      case 1: input[place] = static_cast<std::uint8_t>(input[place] ^ 1u << random() % 8); break;
      case 2: input[place] = interesting[random() % std::size(interesting)]; break;
      case 3: input.resize(place); break;
      default: {
        const std::size_t length = random() % 32;
        const std::size_t from = random() % input.size();
        const Input copy(input.begin() + static_cast<std::ptrdiff_t>(from),
                         input.begin() + static_cast<std::ptrdiff_t>(std::min(input.size(), from + length)));
        input.insert(input.begin() + static_cast<std::ptrdiff_t>(place), copy.begin(), copy.end());
      }
    }
  }
}

int write_seeds(const std::string& from, const std::string& to) {
  int number = 0;
  for (const Input& input : callwitness::fuzz::seeds_of(from, callwitness::fuzz::wanted_seeds, longest)) {
    std::ofstream file(to + "/seed" + std::to_string(number++), std::ios::binary);
    if (!file.write(reinterpret_cast<const char*>(input.data()), static_cast<std::streamsize>(input.size()))) return 1;
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 4 && argv[1] == std::string("--seeds")) return write_seeds(argv[2], argv[3]);
  const long runs = argc > 1 ? std::strtol(argv[1], nullptr, 10) : 1000;
  const auto inputs = callwitness::fuzz::seeds_of(argc > 2 ? argv[2] : "", callwitness::fuzz::wanted_seeds, longest);
  std::mt19937 random(argc > 3 ? static_cast<unsigned>(std::strtoul(argv[3], nullptr, 10)) : 1);
  for (const Input& input : inputs) LLVMFuzzerTestOneInput(input.data(), input.size());
  for (long run = 0; run < runs; ++run) {
    Input input = inputs[random() % inputs.size()];
    if (run % 4 == 0) input.resize(random() % 256 + 1);
    if (run % 8 == 0)
      for (std::uint8_t& byte : input) byte = static_cast<std::uint8_t>(random());
    mutate(input, random);
    // A copy of the exact size, so that a sanitizer sees a read past the end.
    const Input exact(input.begin(), input.end());
    LLVMFuzzerTestOneInput(exact.data(), exact.size());
  }
}
