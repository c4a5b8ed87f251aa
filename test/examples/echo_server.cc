// SPDX-License-Identifier: MIT
// echo_server [CONNECTIONS]: sends back what it gets. Listens on a free port of the loopback
// interface, which it prints, and ends when CONNECTIONS (default 1) have ended.
//
// Its memory is bounded by the pool's: a client that does not read what it is sent holds one
// buffer, and nothing more is read from it meanwhile. When all buffers are held, a connection that
// sends something is closed.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <utility>

#include "spillway/pool.h"

namespace {

constexpr size_t kBufferBytes = 16384;

class Server {
 public:
  Server(spillway::Pool& pool, int listener, int connections)
      : pool_(pool), tenant_(pool.tenant("echo")), listener_(listener), left_(connections) {
    watch(EPOLL_CTL_ADD, listener_, EPOLLIN);
  }

  void run() {
    epoll_event event;
    while (left_ > 0 && epoll_wait(events_, &event, 1, -1) >= 0) {
      if (event.data.fd == listener_) {
        accept_one();
      } else if (!serve(event.data.fd, pending_[event.data.fd])) {
        end(event.data.fd);
      }
    }
  }

 private:
  void watch(int operation, int descriptor, uint32_t what) {
    epoll_event event{};
    event.events = what;
    event.data.fd = descriptor;
    epoll_ctl(events_, operation, descriptor, &event);
  }

  void accept_one() {
    const int client = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK);
    if (client >= 0) {
      watch(EPOLL_CTL_ADD, client, EPOLLIN);
    }
  }

  // False when the connection is at its end.
  bool serve(int client, spillway::SharedBuffer& pending) {
    if (pending.empty()) {
      auto buffer = pool_.try_alloc(kBufferBytes, tenant_);
      if (!buffer) {
        std::printf("closing a connection: %s\n", spillway::name_of(buffer.error()));
        return false;
      }
      const ssize_t got = read(client, buffer->data(), buffer->capacity());
      if (got <= 0) {
        return got < 0 && errno == EAGAIN;
      }
      buffer->set_size(static_cast<size_t>(got));
      pending = std::move(*buffer).freeze();
    }
    const ssize_t sent = send(client, pending.data(), pending.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) {
      return false;
    }
    pending.advance(sent < 0 ? 0 : static_cast<size_t>(sent));
    if (pending.empty()) {
      pending = {};  // the buffer goes back
    }
    watch(EPOLL_CTL_MOD, client, pending.empty() ? EPOLLIN : EPOLLOUT);
    return true;
  }

  void end(int client) {
    pending_.erase(client);
    close(client);
    --left_;
  }

  spillway::Pool& pool_;
  const spillway::Tenant tenant_;
  const int listener_;
  int left_;
  const int events_ = epoll_create1(0);
  std::map<int, spillway::SharedBuffer> pending_;  // by connection
};

int listen_on_loopback() {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  if (bind(listener, any, length) != 0 || listen(listener, 16) != 0 ||
      getsockname(listener, any, &length) != 0) {
    std::perror("echo_server");
    std::exit(1);
  }
  std::printf("port %d\n", ntohs(address.sin_port));
  std::fflush(stdout);
  return listener;
}

}  // namespace

int main(int argc, char** argv) {
  const int connections = argc == 2 ? std::atoi(argv[1]) : 1;
  if (argc > 2 || connections < 1) {
    std::fprintf(stderr, "usage: echo_server [CONNECTIONS]\n");
    return 2;
  }
  auto pool = spillway::Pool::create(spillway::PoolConfig()
                                         .with_classes({kBufferBytes})
                                         .with_max_per_class(8)
                                         .with_thread_cache(spillway::ThreadCachePolicy::exact(4)));
  if (!pool) {
    std::fprintf(stderr, "echo_server: %s\n", pool.error().c_str());
    return 1;
  }
  Server(*pool, listen_on_loopback(), connections).run();
  const spillway::PoolStatistics now = pool->statistics();
  std::printf("%lu buffers taken, %lu of them again, %lu bytes held\n",
              static_cast<unsigned long>(now.allocations), static_cast<unsigned long>(now.recycles),
              static_cast<unsigned long>(now.live_bytes));
}
