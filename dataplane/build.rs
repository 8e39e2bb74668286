//! Compiles the XDP program where the feature `live` asks for it: clang, and the kernel's own headers.

use std::env;
use std::path::PathBuf;
use std::process::Command;

const SOURCE: &str = "src/xdp/bpf/ztsms.bpf.c";

fn main() {
    println!("cargo::rerun-if-changed={SOURCE}");
    println!("cargo::rerun-if-env-changed=CLANG");
    let is_live = env::var_os("CARGO_FEATURE_LIVE").is_some() && env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux");
    if !is_live {
        return;
    }
    let clang = env::var("CLANG").unwrap_or_else(|_| "clang".to_owned());
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default()).join("ztsms.bpf.o");
    // `asm/types.h` lies where the distribution keeps what differs between architectures.
    let architecture = env::var("CARGO_CFG_TARGET_ARCH").unwrap_or_default();
    let run = Command::new(&clang)
        .args(["-target", "bpf", "-O2", "-g", "-mcpu=v3", "-Wall", "-Wextra", "-Werror"])
        .arg("-idirafter")
        .arg(format!("/usr/include/{architecture}-linux-gnu"))
        .args(["-c", SOURCE, "-o"])
        .arg(&out)
        .status();
    let wrong = match run {
        Ok(status) if status.success() => return,
        Ok(status) => format!("{clang} ended with {status}"),
        Err(error) => format!("{clang}: {error}"),
    };
    println!(
        "cargo::error=the XDP program was not built: {wrong}. Install clang and linux-libc-dev (`make build` does), or leave the \
         live part out with --no-default-features"
    );
    std::process::exit(1);
}
