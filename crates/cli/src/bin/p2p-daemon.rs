fn main() -> std::process::ExitCode {
    p2p_cli::daemon_main()
}
