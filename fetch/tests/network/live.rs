//! Providers that are asked at the time.

use std::time::{Duration, Instant};

use ztsms_fetch::client::Client;
use ztsms_fetch::protocol::{Failure, Live, LiveAnswer, Question, Why};

use crate::world::World;

fn ask(client: &mut Client, question: Question, bearer: Option<&str>) -> Result<LiveAnswer, Failure> {
    let provider = "https://provider.example/v1/ask".to_owned();
    client.live(&Live { provider, question, bearer: bearer.map(str::to_owned), per_minute: Some(8) }).unwrap().into_result()
}

#[test]
fn a_provider_is_told_a_host_or_a_prefix_once_and_within_its_budget() {
    let Some(mut world) = World::new() else { return };
    world.zone("example.", "provider A 11.0.0.2");
    world.knot();
    let certificate = world.certificate(&["provider.example"]);
    let hash = format!("00112233{}", "ab".repeat(28));
    world.nginx(&format!(
        "log_format ask '$request_method $http_authorization $request_body';\n\
         server {{ listen 11.0.0.2:443 ssl; {certificate} access_log {0}/ask.log ask; default_type application/json;\n\
           location /v1/ask {{ client_body_buffer_size 4k; proxy_pass http://11.0.0.2:8080; }} }}\n\
         server {{ listen 11.0.0.2:8080; default_type application/json; set $say '{{\"verdict\":\"dangerous\",\"category\":\"phishing\",\"ttl_s\":600}}';\n\
           if ($http_authorization = 'Bearer prefix') {{ set $say '{{\"matches\":[{{\"hash\":\"{hash}\",\"verdict\":\"dangerous\"}}]}}'; }}\n\
           if ($http_authorization = 'Bearer wrong') {{ set $say '{{\"verdict\":\"great\"}}'; }}\n\
           location / {{ return 200 $say; }} }}",
        world.dir().display()
    ));
    let off = &mut world.fetcher(&[]);
    assert_eq!(ask(off, Question::Host("a.example".into()), None).unwrap_err().why, Why::Off);

    let client = &mut world.fetcher(&["--on", "live"]);
    let host = || Question::Host("A.example.".into());
    let first = ask(client, host(), Some("key")).unwrap();
    assert_eq!(
        (first.verdict.as_deref(), first.category.as_deref(), first.remembered),
        (Some("dangerous"), Some("phishing"), false)
    );
    assert!((590..=600).contains(&first.ttl_s));
    assert!(ask(client, host(), Some("key")).unwrap().remembered);
    let hits = ask(client, Question::Prefix("00112233".into()), Some("prefix")).unwrap();
    assert_eq!((hits.verdict, hits.matches[0].hash.as_str()), (None, hash.as_str()));
    assert_eq!(ask(client, Question::Prefix("0011".into()), None).unwrap_err().why, Why::Request);
    assert_eq!(ask(client, Question::Host("a.example/path".into()), None).unwrap_err().why, Why::Name);
    let refused = ask(client, host(), Some("wrong")).unwrap_err();
    assert_eq!(refused.why, Why::Budget, "eight a minute are two at once");
    assert!(ask(client, host(), Some("key")).unwrap().remembered, "what is known costs nothing");

    let told =
        ["POST Bearer key {\\x22host\\x22:\\x22a.example\\x22}", "POST Bearer prefix {\\x22prefix\\x22:\\x2200112233\\x22}"];
    let log = || std::fs::read_to_string(world.dir().join("ask.log")).unwrap();
    // The server writes a line once its answer is on its way.
    let end = Instant::now() + Duration::from_secs(10);
    while log().lines().count() < told.len() && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(log().lines().collect::<Vec<_>>(), told);
    let again = &mut world.fetcher(&["--on", "live"]);
    assert_eq!(ask(again, host(), Some("wrong")).unwrap_err().why, Why::Unreadable);
}
