fn main() -> std::process::ExitCode {
    p2p_cli::client_main()
}
