target_link_libraries(callwitness_capture PRIVATE PkgConfig::PCAP ZLIB::ZLIB PkgConfig::ZSTD PkgConfig::LZMA OpenSSL::Crypto PkgConfig::CAP PkgConfig::SECCOMP Threads::Threads)
