//! First inputs for each target, made of captures: whole frames, and what lies in them.
//!
//! The corpora in the tree began with the captures of `pcaps/samples`. Others (`EXTRA` of `tools/fuzz`) serve a run and are not kept.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use dataplane::lane::{Frame, Lane, Setup};
use dataplane::record::{Listener, Sms};
use pcaps::read::Capture;
use protocols::link::LinkType;
use protocols::span::within;

use crate::{frame, way};

/// Inputs by target.
type Inputs = BTreeSet<(&'static str, Vec<u8>)>;

struct Keeps<'i>(&'i mut Inputs);

impl Listener for Keeps<'_> {
    const TEXTS: bool = true;
    fn sms(&mut self, sms: &Sms<'_>) {
        let mo = u8::from(sms.direction == dataplane::policy::Direction::Mo);
        let mut keep = |target, head: u8, bytes: &[u8]| self.0.insert((target, [&[head], bytes].concat()));
        keep("tpdu", mo, sms.forward.sm_rp_ui);
        keep("rewrite", mo << 5 | (sms.place.frame as u8 & 0x1f), sms.forward.sm_rp_ui);
        let text = sms.text.unwrap_or_default();
        keep("rewrite", 0x40 | mo << 5 | (sms.place.frame as u8 & 0x9f), text.as_bytes());
        if !sms.urls.is_empty() {
            keep("scan", 0, text.as_bytes());
        }
        for url in sms.urls.iter() {
            self.0.insert(("canonical", url.text.as_bytes().to_vec()));
            self.0.insert(("canonical", url.url.as_bytes().to_vec()));
        }
        if within(sms.invoke.argument.map_or(&[][..], |argument| argument.raw), sms.forward.sm_rp_ui).is_some() {
            self.0.insert(("ber", sms.invoke.argument.map(|argument| argument.raw.to_vec()).unwrap_or_default()));
        }
    }
}

/// Reads captures and writes what they give to `folder/TARGET`.
///
/// # Errors
/// Those of the file system. A capture that cannot be read gives what it could.
pub fn write(folder: &Path, captures: &[&Path]) -> io::Result<usize> {
    let mut inputs = own();
    for path in captures {
        let mut capture = Capture::open(path).map_err(|error| io::Error::other(error.to_string()))?;
        let mut lane = Lane::new(&Setup::default());
        let mut before: Vec<(LinkType, Vec<u8>)> = Vec::new();
        while let Ok(Some(wire)) = capture.next() {
            let Some(link_type) = LinkType::from_pcap(wire.link_type) else { continue };
            let frame = Frame {
                number: wire.number,
                time_ns: wire.time_ns.unwrap_or(0),
                link_type,
                bytes: wire.bytes,
                original_len: wire.original_len as usize,
            };
            lane.frame(&frame, way::world(0).0, &mut Keeps(&mut inputs));
            if wire.bytes.len() > 1000 {
                continue;
            }
            // Alone with checksums made to hold, and behind the two before it as they came.
            let head = wire.number as u8 & 3;
            inputs.insert(("frame", frame::input(head | 4, &[(link_type, wire.bytes)])));
            before.push((link_type, wire.bytes.to_vec()));
            let last: Vec<(LinkType, &[u8])> = before.iter().map(|(link_type, bytes)| (*link_type, bytes.as_slice())).collect();
            inputs.insert(("frame", frame::input(head, &last)));
            if before.len() == 3 {
                before.remove(0);
            }
        }
    }
    for (number, (target, bytes)) in inputs.iter().enumerate() {
        let folder = folder.join(target);
        std::fs::create_dir_all(&folder)?;
        std::fs::write(folder.join(format!("seed-{number:05}")), bytes)?;
    }
    Ok(inputs.len())
}

/// What no capture holds.
fn own() -> Inputs {
    let lists: [&str; 14] = [
        "pattern,verdict,category,senders,source,expires,note\nbank.example,safe,bank,BANK|+49123,own,2030-01-01,n\n=a.example,dangerous,,,,,\n@docs.example,,,,,,\nb.example/x,unknown,,,,,\nhalf a,line\n",
        "bank.example\n*.parcel.example\nhttps://a.example/x?y=z\n.b.example\n# remark\n1.2.3.4\nnot a host!\n",
        "127.0.0.1 localhost\n0.0.0.0 ads.example ads2.example\n::1 x.example # y\n",
        "address=/ads.example/0.0.0.0\nserver=/a.example/\n",
        "local-zone: \"ads.example\" always_nxdomain\n",
        "[Adblock Plus 2.0]\n! title\n||ads.example^\n||b.example^$third-party\n@@||c.example^\n",
        "$TTL 60\n@ SOA a. b. 1 2 3 4 5\nads.example CNAME .\n*.ads.example CNAME .\n",
        "# id,dateadded,url,url_status,last_online,threat,tags,urlhaus_link,reporter\n\"1\",\"2026-01-01 00:00:00\",\"http://a.example/x.exe\",\"online\",\"\",\"malware_download\",\"exe\",\"https://urlhaus.abuse.ch/url/1/\",\"x\"\n",
        "phish_id,url,phish_detail_url,submission_time,verified,verification_time,online,target\n1,http://a.example/,x,2026-01-01T00:00:00+00:00,yes,,yes,Other\n",
        "[{\"url\":\"http://a.example/x\",\"phish_id\":\"1\",\"verified\":\"yes\",\"target\":\"Other\"},{\"url\":5}]",
        "{\"name\":\"list\",\"type\":\"hostname\",\"list\":[\"a.example\",\".b.example\",7]}",
        "1,google.example\n2,b.example\nx,c\n",
        "b\u{fc}cher.example\n\u{ff45}vil.example\nxn--80ak6aa92e.com\n[::1]\n0x7f.1\n",
        "a.example\u{0}\n\u{202e}moc.example\n",
    ];
    let links: [&str; 14] = [
        "https://user:pw@EXAMPLE.com:8080/a/../b/%7e?q=1#f",
        "http://0x7f.1/",
        "http://[2001:db8::1]/x",
        "http:\\\\a.example\\b",
        "https://b\u{fc}cher.example/\u{e9}",
        "http://xn--80ak6aa92e.com/%2e%2e/",
        "market://details?id=a.b",
        "whatsapp://send?text=x",
        "hxxp://a[.]com b dot com c. com d,com",
        "intent://x#Intent;S.browser_fallback_url=https%3A%2F%2Fe.com;end",
        "http://\u{202e}moc.live https://z\u{200d}t.com/%6c 1.2.3.4/x http://0x7f.1 \u{ff45}\u{ff56}il.com\u{ff0f}a",
        "123456 is your code\n@bank.example #123456",
        "http://a.com/?u=http://b.com/ x.com,\u{65e5}\u{672c}.com a@b.com https%3A%2F%2Fc.net",
        "\u{43f}\u{43e}\u{447}\u{442}\u{430}.\u{440}\u{444}/a http://%7a%74phish.com la.st mo.nth pa.id x.apk",
    ];
    let mut inputs = Inputs::new();
    for list in lists {
        inputs.insert(("lists", list.as_bytes().to_vec()));
        inputs.insert(("snapshot", [b"\x01", list.as_bytes()].concat()));
    }
    for link in links {
        inputs.insert(("canonical", link.as_bytes().to_vec()));
        inputs.insert(("scan", [b"\x00", link.as_bytes()].concat()));
        inputs.insert(("scan", [1].into_iter().chain(link.encode_utf16().flat_map(u16::to_be_bytes)).collect()));
        inputs.insert(("rewrite", [b"\x41", link.as_bytes()].concat()));
    }
    for rules in [
        "bank.example\n=bank.example\n!@bank.example\nbank.example/x\n!a.bank.example",
        "com\n!=com\n@com\ntg:resolve?domain=scam\n1.2.3.4/x",
    ] {
        inputs.insert(("snapshot", [b"\x01", rules.as_bytes()].concat()));
    }
    for place in (0..512u16).step_by(7) {
        let [p0, p1] = place.to_be_bytes();
        inputs.insert(("snapshot", vec![0, p0, p1, place.to_le_bytes()[0] ^ 0x5a]));
    }
    inputs
}
