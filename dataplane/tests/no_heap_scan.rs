//! Once warm, the scan asks for no memory.
#![allow(unsafe_code)] // a counting allocator

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use dataplane::canonical::{self, Folder};
use dataplane::scan::{Scanner, Scratch};

struct Counting;

thread_local!(static COUNT: Cell<usize> = const { Cell::new(0) });

// SAFETY: every call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let _ = COUNT.try_with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn scan_canonical_form_and_folding_ask_for_no_memory() {
    let scanner = Scanner::default();
    let (mut scratch, mut folder, mut parser) = (Scratch::new(), Folder::new(), canonical::Scratch::new());
    let long = "http://a.com/?u=http://b.com/ x.com,日本.com ".repeat(200);
    let texts = [
        "Your parcel: https://ztphish.com/p/8KQ2. Or http://аpple-id.com/a?u=https%3A%2F%2Fb.net and почта.рф/a",
        "hxxp://a[.]com b dot com c. com intent://x#Intent;S.browser_fallback_url=https%3A%2F%2Fe.com;end",
        "http://\u{202e}moc.live https://z\u{200d}t.com/%6c 1.2.3.4/x http://0x7f.1 ｅｖｉｌ.com／a",
        "no link at all, ok. fine",
        long.as_str(),
    ];
    let mut links = 0;
    let mut round = |links: &mut usize| {
        for text in texts {
            let before = COUNT.get();
            assert!(scanner.may_link(text.as_bytes()) || *links > 0 || text.starts_with("no"));
            scanner.find(text, &mut scratch, |link| {
                *links += canonical::fold(&link.url, &mut folder).host.len();
                *links += usize::from(canonical::parse(link.url.url, &mut parser).is_ok());
            });
            assert_eq!(COUNT.get(), before, "{text:?}");
        }
    };
    round(&mut links);
    round(&mut links);
    assert!(links > 100);
}
