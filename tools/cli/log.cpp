#include "tools/cli/log.hpp"

#include <spdlog/async.h>
#include <spdlog/sinks/ansicolor_sink.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <vector>

#include "core/time.hpp"
#include "tools/cli/output.hpp"

namespace anabranch::cli {
namespace {

constexpr std::size_t kQueueLines = 4'096;
constexpr core::Duration kNoticeWindow = 10 * core::kSecond;
constexpr unsigned kNoticesMax = 5;

/// A value of logfmt: quoted where it must be.
std::string value_of(std::string_view text) {
  const bool bare = !text.empty() && text.find_first_of(" =\"\\\t\n\r") == text.npos && text_of(text) == text;
  return bare ? std::string(text) : json_text(text);
}

}  // namespace

struct Log::Impl {
  std::shared_ptr<spdlog::details::thread_pool> pool;  // spdlog shares these itself
  std::shared_ptr<spdlog::logger> logger;
  bool logfmt = false;
  core::Instant window = 0;
  unsigned notices = 0;
  std::uint64_t left_out = 0;

  Impl() = default;
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() { pool.reset(); }  // writes what waits and joins its thread, before the logger that it writes with goes

  void write(spdlog::level::level_enum level, std::string_view message, std::initializer_list<Field> fields) {
    std::string line = logfmt ? "msg=" + json_text(message) : text_of(message);
    for (const auto& [name, value] : fields) line += ' ' + std::string(name) + '=' + value_of(value);
    logger->log(level, "{}", line);
  }
};

core::Result<Log> Log::open(const std::string& level, const std::string& format) {
  const std::vector<std::string> levels = {"debug", "info", "warn", "error"};
  const std::vector<std::string> formats = {"auto", "text", "logfmt"};
  if (std::find(levels.begin(), levels.end(), level) == levels.end())
    return core::fail(core::Errc::kUnknown, "no such log level (debug, info, warn, error)",
                      did_you_mean(level, levels));
  if (std::find(formats.begin(), formats.end(), format) == formats.end())
    return core::fail(core::Errc::kUnknown, "no such log format (auto, text, logfmt)", did_you_mean(format, formats));
  auto impl = std::make_unique<Impl>();
  const bool terminal = isatty(STDERR_FILENO) == 1;
  impl->logfmt = format == "logfmt" || (format == "auto" && !terminal);
  impl->pool = std::make_shared<spdlog::details::thread_pool>(kQueueLines, 1);
  auto sink = std::make_shared<spdlog::sinks::ansicolor_stderr_sink_mt>(terminal ? spdlog::color_mode::automatic
                                                                                 : spdlog::color_mode::never);
  impl->logger = std::make_shared<spdlog::async_logger>("anabranch", std::move(sink), impl->pool,
                                                        spdlog::async_overflow_policy::overrun_oldest);
  impl->logger->set_level(spdlog::level::from_str(level == "error" ? "err" : level));
  impl->logger->flush_on(spdlog::level::debug);
  impl->logger->set_pattern(impl->logfmt ? "ts=%Y-%m-%dT%H:%M:%S.%e%z level=%l %v"
                                         : "%Y-%m-%d %H:%M:%S.%e %^%-5l%$ %v");
  return Log(std::move(impl));
}

Log::Log(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Log::Log(Log&&) noexcept = default;
Log& Log::operator=(Log&&) noexcept = default;
Log::~Log() = default;

void Log::info(std::string_view message, std::initializer_list<Field> fields) {
  impl_->write(spdlog::level::info, message, fields);
}
void Log::warn(std::string_view message, std::initializer_list<Field> fields) {
  impl_->write(spdlog::level::warn, message, fields);
}
void Log::error(std::string_view message, std::initializer_list<Field> fields) {
  impl_->write(spdlog::level::err, message, fields);
}

void Log::notice(const std::string& message) {
  const core::Instant now = core::monotonic_now();
  if (impl_->window == 0 || now - impl_->window > kNoticeWindow) {
    if (impl_->left_out > 0) warn("warnings were left out", {{"count", std::to_string(impl_->left_out)}});
    impl_->window = now;
    impl_->notices = 0;
    impl_->left_out = 0;
  }
  if (impl_->notices++ < kNoticesMax)
    warn(message);
  else
    ++impl_->left_out;
}

}  // namespace anabranch::cli
