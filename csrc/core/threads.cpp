#include "threads.hpp"

#if !defined(_WIN32)
#include <pthread.h>
#endif

namespace torchstn {

namespace {

bool forked = false;

#if !defined(_WIN32)
const int registered = pthread_atfork(nullptr, nullptr, [] { forked = true; });
#endif

}  // namespace

bool in_forked_child() { return forked; }

}  // namespace torchstn
