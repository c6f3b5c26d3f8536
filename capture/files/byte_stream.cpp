#include "capture/files/byte_stream.hpp"

#include "capture/files/stored.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace callwitness::capture {

namespace {

/// Compressed input may expand to this, or to `expansion_ratio` times its size, whatever is more. Packet headers
/// differ in time and number, so captures compress 2 to 60 times; deflate's worst case, a bomb, is 1032 times.
constexpr std::uint64_t expansion_allowance = std::uint64_t{64} << 20;
constexpr std::uint64_t expansion_ratio = 250;
constexpr std::size_t smallest_window = std::size_t{1} << 16;

Error unreadable(const std::string& path, int error) {
  std::string remedy;
  if (error == EACCES) remedy = "make it readable for you, or run as a user who may read it";
  if (error == ENOENT) remedy = "check the name";
  if (error == EMFILE) remedy = "give fewer files, or raise the limit with ulimit -n";
  return Error{Error::Kind::unreadable, "open " + path, std::strerror(error), remedy};
}

std::string reading_failed(const std::string& error) { return fmt::format("reading failed: {}", error); }

}  // namespace

ByteStream::ByteStream(const StreamOptions& options) : options_(options) {}
ByteStream::~ByteStream() = default;

Result<std::unique_ptr<ByteStream>> ByteStream::open(const std::string& path, const StreamOptions& options) {
  const int descriptor = path == "-" ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY);
  if (descriptor < 0) return unreadable(path, errno);
  struct stat status {};
  if (::fstat(descriptor, &status) != 0) {
    const int error = errno;
    if (descriptor != STDIN_FILENO) ::close(descriptor);
    return unreadable(path, error);
  }
  if (S_ISDIR(status.st_mode)) {
    if (descriptor != STDIN_FILENO) ::close(descriptor);
    return unreadable(path, EISDIR);
  }
  // Standard input may be a file that is already partly read; hashing by position would see other bytes.
  const bool regular = S_ISREG(status.st_mode) && descriptor != STDIN_FILENO;
  StreamOptions fitting = options;
  if (regular)   // small files need no big window
    fitting.window = std::clamp(static_cast<std::size_t>(status.st_size), std::min(smallest_window, options.window),
                                options.window);
  std::unique_ptr<ByteStream> stream(new ByteStream(fitting));
  stream->stored_ = std::make_unique<Stored>(descriptor, regular, static_cast<std::uint64_t>(status.st_size),
                                             fitting.byte_limit == 0 && static_cast<std::uint64_t>(status.st_size) >= fitting.read_ahead_from
                                                 ? fitting.window / 2 : 0);   // two pieces at a time
  stream->choose_expander();
  return stream;
}

void ByteStream::choose_expander() {
  expander_ = expander_for(peek(6));
  if (!expander_) return;
  // What was read to look at the magic is the decompressor's first input.
  stored_->input.assign(buffer_.begin() + static_cast<std::ptrdiff_t>(begin_),
                        buffer_.begin() + static_cast<std::ptrdiff_t>(end_));
  stored_->input_end = stored_->input.size();
  begin_ = end_ = 0;
  ended_ = false;
  expanded_ = 0;
}

std::string_view ByteStream::compression() const { return expander_ ? expander_->name() : std::string_view{}; }
bool ByteStream::reopenable() const { return stored_->regular; }
StoredIdentity ByteStream::identity() { return stored_->finish(); }

Bytes ByteStream::refill(std::size_t want) {
  if (stored_->reads_ahead() && !expander_) {
    const std::size_t had = end_ - begin_;
    while (!ended_ && end_ - begin_ < want) ended_ = !stored_->take(buffer_, begin_, end_);
    expanded_ += end_ - begin_ - had;
    if (!stored_->error.empty()) problem_ = reading_failed(stored_->error);
    return at_hand();
  }
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (buffer_.size() < std::max(want, options_.window)) buffer_.resize(std::max(want, options_.window));
  while (!ended_ && end_ < want) {
    const std::size_t got = fill(buffer_.data() + end_, buffer_.size() - end_);
    if (got == 0) ended_ = true;
    end_ += got;
  }
  return {buffer_.data(), end_};
}

std::size_t ByteStream::fill(std::uint8_t* to, std::size_t room) {
  if (options_.byte_limit != 0 && expanded_ + room > options_.byte_limit)
    room = static_cast<std::size_t>(options_.byte_limit - expanded_);
  if (room == 0) {
    problem_ = fmt::format("stopped at the limit of {} bytes; raise it to read more", options_.byte_limit);
    return 0;
  }
  const std::size_t got = expander_ ? expander_->expand(*stored_, to, room) : stored_->read(to, room);
  expanded_ += got;
  if (expander_ && !expander_->problem.empty()) problem_ = expander_->problem;
  if (!stored_->error.empty()) problem_ = reading_failed(stored_->error);
  if (expander_ && options_.byte_limit == 0 && expanded_ > expansion_allowance &&
      expanded_ / expansion_ratio > stored_->taken) {
    problem_ = fmt::format("expands more than {} times, as captures never do: stopped after {} bytes; unpack it yourself "
                           "if you trust it", expansion_ratio, expanded_);
    return 0;
  }
  return got;
}

}  // namespace callwitness::capture
