// SPDX-License-Identifier: MIT
// The mailbox against tools that behave, and against whatever else stands on the page.
#include "alloc/control/mailbox.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstring>
#include <memory>
#include <string>

#include "test/random.h"

namespace spillway::control {
namespace {

struct Fixture {
  std::unique_ptr<Page> page = std::make_unique<Page>();
  Mailbox mailbox{*page};

  void post(uint64_t id, const std::string& text) {
    std::copy_n(text.data(), std::min(text.size(), sizeof page->request), page->request);
    page->request_length = static_cast<uint32_t>(text.size());
    page->request_check = checksum(id, text.data(), text.size());
    page->request_id = id;
  }
  std::string answer() const {
    return {reinterpret_cast<const char*>(page->answer_address.load()), page->answer_length.load()};
  }
};

BOOST_FIXTURE_TEST_SUITE(mailbox, Fixture)

BOOST_AUTO_TEST_CASE(zero_page_asks_for_nothing) {
  std::string_view request;
  BOOST_TEST(!mailbox.take(request));
  BOOST_TEST(page->answered_id == 0U);
}

BOOST_AUTO_TEST_CASE(request_is_taken_once_and_answered) {
  std::string_view request;
  post(77, "purge");
  BOOST_REQUIRE(mailbox.take(request));
  BOOST_TEST(request == "purge");
  BOOST_TEST(page->answered_id == 0U);
  mailbox.answer("done");
  BOOST_TEST(page->answered_id == 77U);
  BOOST_TEST(page->answering_id == 77U);
  BOOST_TEST(page->answer_is_error == 0U);
  BOOST_TEST(answer() == "done");
  BOOST_TEST(!mailbox.take(request));
}

BOOST_AUTO_TEST_CASE(request_is_a_copy) {
  std::string_view request;
  post(1, "purge");
  BOOST_REQUIRE(mailbox.take(request));
  std::memset(page->request, 'x', sizeof page->request);
  BOOST_TEST(request == "purge");
}

BOOST_AUTO_TEST_CASE(longest_request_is_taken_and_a_longer_one_refused) {
  std::string_view request;
  post(1, std::string(Page::kMaxRequest, 'a'));
  BOOST_TEST(mailbox.take(request));
  BOOST_TEST(request.size() == Page::kMaxRequest);
  for (const size_t length : {Page::kMaxRequest + 1, size_t{1} << 20, size_t{UINT32_MAX}}) {
    page->request_length = static_cast<uint32_t>(length);
    page->request_id = length;
    BOOST_TEST(!mailbox.take(request));
    BOOST_TEST(page->answered_id == length);
    BOOST_TEST(page->answer_is_error == 1U);
    BOOST_TEST(answer() == "the request is too long");
  }
}

BOOST_AUTO_TEST_CASE(torn_request_waits_until_it_is_whole) {
  std::string_view request;
  post(1, "set limit=1G");
  page->request[4] = 'L';
  BOOST_TEST(!mailbox.take(request));
  BOOST_TEST(page->answered_id == 0U);
  page->request[4] = 'l';
  BOOST_TEST(mailbox.take(request));
  BOOST_TEST(request == "set limit=1G");
}

BOOST_AUTO_TEST_CASE(id_is_part_of_the_checksum) {
  std::string_view request;
  post(1, "purge");
  BOOST_REQUIRE(mailbox.take(request));
  for (const uint64_t id : {uint64_t{2}, uint64_t{0}, UINT64_MAX, uint64_t{1} << 63}) {
    page->request_id = id;  // a jump, with the text of before
    BOOST_TEST(!mailbox.take(request));
  }
}

BOOST_AUTO_TEST_CASE(what_is_not_printable_is_refused_in_one_line) {
  std::string_view request;
  uint64_t id = 0;
  for (const char c : {'\n', '\0', '\x1b', '\x7f', '\x80', '\xff'}) {
    post(++id, std::string("get ") + c);
    BOOST_TEST(!mailbox.take(request));
    BOOST_TEST(page->answered_id == id);
    BOOST_TEST(answer() == "the request is not printable ASCII");
  }
}

BOOST_AUTO_TEST_CASE(long_error_is_cut) {
  std::string_view request;
  post(1, "x");
  BOOST_REQUIRE(mailbox.take(request));
  mailbox.refuse(std::string(2000, 'e'));
  BOOST_TEST(answer() == std::string(Page::kMaxError, 'e'));
}

BOOST_AUTO_TEST_CASE(random_pages_yield_bounded_printable_text_or_nothing) {
  testing::Random random(4711);
  for (int i = 0; i < 20000; ++i) {
    auto* const bytes = reinterpret_cast<unsigned char*>(page.get());
    const size_t end = random() % 2 == 0 ? offsetof(Page, looks) : offsetof(Page, request);
    for (size_t at = 0; at < end; ++at) {
      bytes[at] = static_cast<unsigned char>(random());
    }
    if (random() % 2 == 0) {  // as a tool that sends rubbish has it
      const auto length = static_cast<uint32_t>(random() % (Page::kMaxRequest + 1));
      page->request_length = length;
      page->request_check = checksum(page->request_id, page->request, length);
    }
    std::string_view request;
    if (mailbox.take(request)) {
      BOOST_REQUIRE(request.size() <= Page::kMaxRequest);
      BOOST_REQUIRE(
          std::all_of(request.begin(), request.end(), [](char c) { return c >= ' ' && c <= '~'; }));
    }
  }
}

BOOST_AUTO_TEST_CASE(snapshots_take_turns) {
  for (uint64_t number = 1; number < 6; ++number) {
    mailbox.begin_snapshot();
    BOOST_TEST(page->begun == number);
    BOOST_TEST(page->published == number - 1);
    const std::string text(number, 's');
    mailbox.publish_snapshot(text, number * 10, number * 100);
    BOOST_TEST(page->published == number);
    const Page::Snapshot& snapshot = page->snapshots[number % 2];
    BOOST_TEST(snapshot.length == number);
    BOOST_TEST(snapshot.watch == number * 10);
    BOOST_TEST(snapshot.taken_ns == number * 100);
  }
}

BOOST_AUTO_TEST_CASE(withdrawn_texts_are_none) {
  std::string_view request;
  post(5, "stats");
  BOOST_REQUIRE(mailbox.take(request));
  mailbox.answer("text");
  mailbox.begin_snapshot();
  mailbox.publish_snapshot("snapshot", 1, 1);
  const uint64_t published = page->published;
  mailbox.withdraw();
  BOOST_TEST(page->answered_id == 5U);
  BOOST_TEST(page->answering_id == 0U);
  BOOST_TEST(page->begun >= published + 2);
  BOOST_TEST(page->snapshots[page->published % 2].length == 0U);
  mailbox.begin_snapshot();
  mailbox.publish_snapshot("again", 1, 1);
  BOOST_TEST(page->snapshots[page->published % 2].length == 5U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::control
