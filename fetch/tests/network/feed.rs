//! Lists.

use std::fs;
use std::io::Write as _;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use ztsms_fetch::client::Client;
use ztsms_fetch::protocol::{Failure, Feed, Fetched, Limits, Outcome, Why};

use crate::world::{World, head};

const LIST: &str = "# names\none.example\ntwo.example\n";

fn get(client: &mut Client, feed: &Feed) -> Result<(Fetched, Vec<u8>), Failure> {
    let mut body = Vec::new();
    match client.feed(feed, &mut body).unwrap() {
        Outcome::Ok(fetched) => Ok((fetched, body)),
        Outcome::Failed(failure) => Err(failure),
    }
}

fn why(client: &mut Client, url: &str) -> Why {
    get(client, &Feed::new(url)).expect_err(url).why
}

fn pack(octets: &[u8]) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::best());
    packer.write_all(octets).unwrap();
    packer.finish().unwrap()
}

#[test]
fn a_list_comes_once_and_again_only_when_it_has_changed() {
    let Some(mut world) = World::new() else { return };
    world.zone("lists.example.", "@ A 11.0.0.2\n@ AAAA 2600:11::1\nxn--bcher-kva A 11.0.0.2");
    world.knot();
    let certificate = world.certificate(&["lists.example", "xn--bcher-kva.lists.example"]);
    world.nginx(&format!("gzip on; gzip_min_length 1; gzip_types *; server {{ listen 11.0.0.2:443 ssl; {certificate} }}"));
    let www = world.dir().join("www");
    fs::write(www.join("hosts.txt"), LIST).unwrap();
    fs::write(www.join("hosts.txt.gz"), pack(LIST.as_bytes())).unwrap();
    let client = &mut world.fetcher(&[]);

    let (first, body) = get(client, &Feed::new("https://lists.example/hosts.txt")).unwrap();
    assert_eq!(body, LIST.as_bytes());
    assert_eq!((first.octets, first.body, first.unchanged), (LIST.len() as u64, false, false));
    assert_eq!(first.sha256.len(), 64);
    assert!(first.unpacked, "nginx packs what may come packed");
    assert_eq!(first.content_type.as_deref(), Some("text/plain"));

    let again = Feed {
        etag: first.etag.clone(),
        last_modified: first.last_modified.clone(),
        ..Feed::new("https://lists.example/hosts.txt")
    };
    assert!(first.etag.is_some() && first.last_modified.is_some());
    let (second, body) = get(client, &again).unwrap();
    assert!(second.unchanged && body.is_empty());

    fs::write(www.join("hosts.txt"), "three.example\n").unwrap();
    let (third, body) = get(client, &again).unwrap();
    assert_eq!(body, b"three.example\n");
    assert_ne!(third.sha256, first.sha256);

    let (packed, body) = get(client, &Feed::new("https://BÜCHER.lists.example/hosts.txt.gz")).unwrap();
    assert_eq!((body.as_slice(), packed.unpacked), (LIST.as_bytes(), true));
    assert_eq!(packed.url, "https://xn--bcher-kva.lists.example/hosts.txt.gz");
    assert_eq!(packed.sha256, first.sha256);
    assert_eq!(why(client, "https://lists.example/absent"), Why::Status);
    let log = world.access_log();
    assert!(log.contains("ztsms-fetch/"), "who asks is said: {log}");
    assert!(!log.contains("cookie"), "{log}");
}

#[test]
fn a_redirect_is_followed_within_the_guard_and_never_to_where_it_is_not_safe() {
    let Some(mut world) = World::new() else { return };
    world.zone("example.", "lists A 11.0.0.2\nmirror A 11.0.0.3\ninside A 10.0.0.1");
    world.knot();
    let certificate = world.certificate(&["lists.example", "mirror.example"]);
    let mut locations = String::new();
    let bad = [
        ("file", "file:///etc/passwd", Why::Scheme),
        ("loopback", "http://127.0.0.1/", Why::Literal),
        ("octal", "https://0177.0.0.1/", Why::Literal),
        ("metadata", "http://169.254.169.254/latest/", Why::Literal),
        ("inside", "https://inside.example/", Why::Forbidden),
        ("port", "https://mirror.example:8080/", Why::Port),
        ("user", "https://lists.example@mirror.example/", Why::UserInfo),
        ("down", "http://mirror.example/hosts.txt", Why::Redirect),
        ("circle", "https://lists.example/circle", Why::Loop),
        ("localhost", "https://localhost/", Why::Name),
    ];
    for (path, to, _) in bad {
        locations += &format!("location /{path} {{ return 302 {to}; }}\n");
    }
    for hop in 0..9 {
        locations += &format!("location /hop{hop} {{ return 301 /hop{}; }}\n", hop + 1);
    }
    world.nginx(&format!(
        "server {{ listen 11.0.0.2:443 ssl; {certificate} {locations} location /moved {{ return 307 https://mirror.example/hosts.txt; }} }}\n\
         server {{ listen 11.0.0.3:443 ssl; listen 11.0.0.3:80; {certificate} }}"
    ));
    fs::write(world.dir().join("www/hosts.txt"), LIST).unwrap();
    let client = &mut world.fetcher(&[]);
    let (moved, body) = get(client, &Feed::new("https://lists.example/moved")).unwrap();
    assert_eq!(body, LIST.as_bytes());
    assert_eq!(
        (moved.url.as_str(), moved.redirects),
        ("https://mirror.example/hosts.txt", vec!["https://lists.example/moved".to_owned()])
    );
    for (path, to, expected) in bad {
        assert_eq!(why(client, &format!("https://lists.example/{path}")), expected, "{to}");
    }
    assert_eq!(why(client, "https://lists.example/hop0"), Why::Hops);
}

#[test]
fn what_is_no_list_or_means_harm_is_refused_by_its_name() {
    let Some(mut world) = World::new() else { return };
    let names = [
        "html",
        "zip",
        "drip",
        "huge",
        "announced",
        "bomb",
        "filebomb",
        "short",
        "endless",
        "brotli",
        "head",
        "headdrip",
        "silent",
        "http9",
        "br0ken",
    ];
    let records: String = names.iter().enumerate().map(|(at, name)| format!("{name} A 11.0.0.{}\n", at + 2)).collect();
    world.zone("example.", &records);
    world.knot();
    let at = |name: &str| format!("11.0.0.{}:80", names.iter().position(|other| *other == name).unwrap() + 2);
    let ok = "HTTP/1.1 200 OK\r\n";
    world.says(&at("html"), format!("{ok}Content-Type: text/plain\r\n\r\n  <!DOCTYPE html><title>Maintenance</title>"));
    world.says(&at("zip"), [ok.as_bytes(), b"\r\nPK\x03\x04\x14\0\0\0"].concat());
    world.says(&at("announced"), format!("{ok}Content-Length: 99999999999\r\n\r\na.example\n"));
    world.says(&at("short"), format!("{ok}Content-Length: 500\r\n\r\na.example\n"));
    world.says(&at("endless"), format!("{ok}\r\na.example\n"));
    world.says(&at("brotli"), format!("{ok}Content-Encoding: br\r\n\r\nxxxx"));
    world.says(&at("head"), format!("{ok}X: {}\r\n\r\n", "x".repeat(200_000)));
    world.says(&at("http9"), "a.example\nb.example\n");
    world.says(
        &at("br0ken"),
        [ok.as_bytes(), b"Content-Encoding: gzip\r\n\r\n\x1f\x8b\x08\0\0\0\0\0\0\0\xff\xff\xff\xff"].concat(),
    );
    let bomb = pack(&vec![b'a'; 64 << 20]);
    world.says(&at("bomb"), [format!("{ok}Content-Encoding: gzip\r\n\r\n").as_bytes(), &bomb].concat());
    world.says(&at("filebomb"), [format!("{ok}Content-Type: application/gzip\r\n\r\n").as_bytes(), &bomb].concat());
    let slowly = |first: &'static str| {
        move |mut stream: std::net::TcpStream| {
            head(&mut stream);
            let _ = stream.write_all(first.as_bytes());
            while stream.write_all(b"a").is_ok() {
                std::thread::sleep(Duration::from_millis(50));
            }
        }
    };
    world.raw("net", &at("drip"), slowly("HTTP/1.1 200 OK\r\n\r\n"));
    world.raw("net", &at("headdrip"), slowly("HTTP/1.1 200 OK\r\nX: "));
    world.raw("net", &at("silent"), |mut stream| {
        head(&mut stream);
        std::thread::sleep(Duration::from_secs(5));
    });
    world.raw("net", &at("huge"), |mut stream| {
        head(&mut stream);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
        while stream.write_all(&[b'a'; 65536]).is_ok() {}
    });
    let client = &mut world.fetcher(&[]);
    let limits = Limits { body_octets: Some(8 << 20), total_ms: Some(1500), idle_ms: Some(600), ratio: None };
    for (name, expected) in [
        ("html", Why::Html),
        ("zip", Why::Archive),
        ("announced", Why::Size),
        ("short", Why::Http),
        ("endless", Why::Http),
        ("brotli", Why::Encoding),
        ("head", Why::Head),
        ("http9", Why::Http),
        ("br0ken", Why::Encoding),
        ("bomb", Why::Bomb),
        ("filebomb", Why::Bomb),
        ("drip", Why::Time),
        ("headdrip", Why::Idle),
        ("silent", Why::Idle),
        ("huge", Why::Size),
    ] {
        let failure = get(client, &Feed { limits, ..Feed::new(format!("http://{name}.example/")) }).expect_err(name);
        assert_eq!(failure.why, expected, "{name}: {failure}");
    }
    let status = client.status().unwrap().into_result().unwrap();
    assert_eq!((status.failed[&Why::Bomb], status.failed[&Why::Idle], status.running), (2, 2, 0));
}
