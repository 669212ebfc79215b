#include "tools/cli/options.hpp"

#include <CLI/CLI.hpp>

#include <charconv>
#include <deque>
#include <variant>

#include "tools/cli/output.hpp"

namespace anabranch::cli {
namespace {

using core::Errc;

/// CLI11 sees "\1N\1" in place of the N-th value, so that it cannot read anything into the bytes.
std::string placeholder(std::size_t index) { return '\1' + std::to_string(index) + '\1'; }

std::string decoded(std::string text, const std::vector<std::string>& values) {
  for (std::size_t begin = text.find('\1'); begin != text.npos; begin = text.find('\1', begin)) {
    const std::size_t end = text.find('\1', begin + 1);
    std::size_t index = 0;
    std::from_chars(text.data() + begin + 1, text.data() + end, index);
    text.replace(begin, end - begin + 1, values[index]);
    begin += values[index].size();
  }
  return text;
}

struct Integer {
  std::int64_t* into;
  std::int64_t low;
  std::int64_t high;
};

struct Number {
  double* into;
  double low;
  double high;
};

using Target = std::variant<bool*, std::string*, std::vector<std::string>*, Integer, Number>;

struct Declared {
  std::string name;
  std::string help;
  std::string value_name;
  Target target;
  CLI::Option* option = nullptr;
  std::string raw = {};                    // placeholder of a single value
  std::vector<std::string> raw_list = {};  // placeholders of a list

  [[nodiscard]] bool flag() const { return std::holds_alternative<bool*>(target); }
  [[nodiscard]] bool list() const { return std::holds_alternative<std::vector<std::string>*>(target); }
};

std::string plain(double value) {
  std::string text = json_real(value, 6);
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return text;
}

core::Status out_of_range(const Declared& declared, const std::string& value, const std::string& low,
                          const std::string& high) {
  return core::fail(Errc::kMalformed, "a value is out of range",
                    declared.name + " takes a number from " + low + " to " + high + ", not '" + value + "'");
}

core::Status assign(const Declared& declared, const std::string& value) {
  const char* const begin = value.data();
  const char* const end = begin + value.size();
  if (const auto* integer = std::get_if<Integer>(&declared.target)) {
    const auto [stop, code] = std::from_chars(begin, end, *integer->into);
    if (code != std::errc{} || stop != end || *integer->into < integer->low || *integer->into > integer->high)
      return out_of_range(declared, value, std::to_string(integer->low), std::to_string(integer->high));
  } else if (const auto* number = std::get_if<Number>(&declared.target)) {
    const auto [stop, code] = std::from_chars(begin, end, *number->into);
    // Written so that "nan" fails.
    if (code != std::errc{} || stop != end || !(*number->into >= number->low && *number->into <= number->high))
      return out_of_range(declared, value, plain(number->low), plain(number->high));
  } else if (auto* const* text = std::get_if<std::string*>(&declared.target)) {
    **text = value;
  }
  return {};
}

}  // namespace

struct Options::Impl {
  struct Positional {
    std::variant<std::string*, std::vector<std::string>*> into;
    std::string raw = {};
    std::vector<std::string> raw_list = {};
  };

  CLI::App app;
  std::deque<Declared> declared;  // CLI11 keeps references into both
  std::deque<Positional> positionals;
  bool allow_dashes = false;
  bool help_asked = false;

  Impl(std::string_view summary, std::string_view name) : app(std::string(summary), "anabranch " + std::string(name)) {
    app.set_help_flag("");
    app.add_flag("-h,--help", help_asked, "Print this help and exit");
  }

  Declared* find(std::string_view name) {
    for (Declared& one : declared) {
      if (one.name == name) return &one;
    }
    return nullptr;
  }

  CLI::Option* add(Declared one) {
    Declared& kept = declared.emplace_back(std::move(one));
    if (kept.flag()) return kept.option = app.add_flag(kept.name, **std::get_if<bool*>(&kept.target), kept.help);
    kept.option = kept.list() ? app.add_option(kept.name, kept.raw_list, kept.help)
                              : app.add_option(kept.name, kept.raw, kept.help);
    return kept.option->type_name(kept.value_name)->allow_extra_args(false);
  }

  core::Status unknown_option(const std::string& word) {
    std::vector<std::string> known = {"--help"};
    for (const Declared& one : declared) known.push_back(one.name);
    return core::fail(Errc::kUnknown, "unknown option", did_you_mean(word, known));
  }

  /// Splits `words` into what CLI11 gets; values and arguments go to `values`.
  core::Status tokenize(std::span<const std::string> words, std::vector<std::string>& tokens,
                        std::vector<std::string>& values) {
    const auto keep = [&](std::string value) {
      values.push_back(std::move(value));
      return placeholder(values.size() - 1);
    };
    bool options_over = false;
    for (std::size_t i = 0; i < words.size(); ++i) {
      const std::string& word = words[i];
      const bool dashed = !options_over && word.size() > 1 && word[0] == '-';
      if (!options_over && word == "--") {
        options_over = true;
      } else if (dashed && (word == "-h" || word == "--help")) {
        help_asked = true;
      } else if (dashed && word[1] == '-') {
        const std::size_t equals = word.find('=');
        const Declared* one = find(word.substr(0, equals));
        if (one == nullptr) return unknown_option(word.substr(0, equals));
        if (one->flag()) {
          if (equals != word.npos) return core::fail(Errc::kMalformed, "an option that takes no value has one", word);
          tokens.push_back(one->name);
        } else if (equals == word.npos && i + 1 == words.size()) {
          return core::fail(Errc::kMalformed, "an option needs a value", one->name + " " + one->value_name);
        } else {
          tokens.push_back(one->name);
          tokens.push_back(keep(equals == word.npos ? words[++i] : word.substr(equals + 1)));
        }
      } else if (dashed && !allow_dashes) {
        return core::fail(Errc::kUnknown, "unknown option",
                          "'" + word + "'; put -- before arguments that start with a dash");
      } else {
        tokens.push_back(keep(word));
      }
    }
    return {};
  }
};

Options::Options(std::string_view command, std::string_view summary, std::string_view examples)
    : impl_(std::make_unique<Impl>(summary, command)) {
  if (!examples.empty()) impl_->app.footer("EXAMPLES\n" + std::string(examples));
}

Options::~Options() = default;

void Options::flag(std::string_view name, bool& into, std::string_view help) {
  impl_->add({std::string(name), std::string(help), "", &into});
}

void Options::text(std::string_view name, std::string& into, std::string_view value_name, std::string_view help) {
  auto* option = impl_->add({std::string(name), std::string(help), std::string(value_name), &into});
  if (!into.empty()) option->default_str(into);
}

void Options::texts(std::string_view name, std::vector<std::string>& into, std::string_view value_name,
                    std::string_view help) {
  impl_->add({std::string(name), std::string(help), std::string(value_name), &into})
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

void Options::integer(std::string_view name, std::int64_t& into, std::int64_t low, std::int64_t high,
                      std::string_view value_name, std::string_view help) {
  impl_->add({std::string(name), std::string(help), std::string(value_name), Integer{&into, low, high}})
      ->default_str(std::to_string(into));
}

void Options::number(std::string_view name, double& into, double low, double high, std::string_view value_name,
                     std::string_view help) {
  impl_->add({std::string(name), std::string(help), std::string(value_name), Number{&into, low, high}})
      ->default_str(plain(into));
}

bool Options::has(std::string_view name) const { return impl_->find(name) != nullptr; }

bool Options::given(std::string_view name) const {
  const Declared* one = impl_->find(name);
  return one != nullptr && one->option->count() > 0;
}

void Options::require(std::string_view name) {
  if (Declared* one = impl_->find(name)) one->option->required()->default_str("");
}

void Options::argument(std::string_view name, std::string& into, std::string_view help) {
  auto& kept = impl_->positionals.emplace_back(Impl::Positional{&into});
  impl_->app.add_option(std::string(name), kept.raw, std::string(help))->required()->type_name("");
}

void Options::arguments(std::string_view name, std::vector<std::string>& into, std::size_t at_least,
                        std::string_view help) {
  auto& kept = impl_->positionals.emplace_back(Impl::Positional{&into});
  auto* option = impl_->app.add_option(std::string(name), kept.raw_list, std::string(help))->type_name("");
  if (at_least > 1) option->expected(static_cast<int>(at_least), 1 << 20);
  if (at_least > 0) option->required();
}

void Options::allow_dashes() { impl_->allow_dashes = true; }

core::Status Options::parse(std::span<const std::string> words) {
  std::vector<std::string> tokens;
  std::vector<std::string> values;
  if (auto split = impl_->tokenize(words, tokens, values); !split) return split;
  if (impl_->help_asked) return {};
  try {
    std::vector<std::string> reversed(tokens.rbegin(), tokens.rend());
    impl_->app.parse(reversed);
  } catch (const CLI::ParseError& error) {
    return core::fail(Errc::kMalformed, "wrong arguments", decoded(error.what(), values));
  }
  for (const Declared& one : impl_->declared) {
    if (one.flag() || one.option->count() == 0) continue;
    if (auto* const* list = std::get_if<std::vector<std::string>*>(&one.target)) {
      (*list)->clear();
      for (const std::string& raw : one.raw_list) (*list)->push_back(decoded(raw, values));
    } else if (auto assigned = assign(one, decoded(one.raw, values)); !assigned) {
      return assigned;
    }
  }
  for (const auto& positional : impl_->positionals) {
    if (auto* const* text = std::get_if<std::string*>(&positional.into)) {
      if (!positional.raw.empty()) **text = decoded(positional.raw, values);
    } else {
      auto& list = **std::get_if<std::vector<std::string>*>(&positional.into);
      list.clear();
      for (const std::string& raw : positional.raw_list) list.push_back(decoded(raw, values));
    }
  }
  return {};
}

bool Options::help_asked() const { return impl_->help_asked; }

std::string Options::help() const { return impl_->app.help(); }

std::vector<Options::Described> Options::described() const {
  std::vector<Described> all;
  for (const CLI::Option* option :
       impl_->app.get_options([](const CLI::Option* one) { return !one->get_positional(); })) {
    all.push_back(
        {"--" + option->get_lnames().front(), option->get_description(), option->get_items_expected_max() > 0});
  }
  return all;
}

}  // namespace anabranch::cli
