//! Reads of several statements.

use crate::support::TestApp;
use doorcode::store::{self, Store, client::find_client};
use std::sync::mpsc;

/// Each decision sees the database of one moment, whatever is written meanwhile.
#[actix_web::test]
async fn read_sees_one_moment() {
    let test = TestApp::start().await;
    let store = Store::open(&test.app.config().database.url).unwrap();
    let (began, begun) = mpsc::channel();
    let (go_on, gone_on) = mpsc::channel();
    let reader = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build();
        let names = runtime.unwrap().block_on(store.read(move |conn| {
            let mut name = || {
                let client = find_client(conn, "doorcode-cli")?;
                Ok::<_, store::Error>(client.unwrap().name)
            };
            let first = name()?;
            began.send(()).unwrap();
            gone_on.recv().unwrap();
            Ok::<_, store::Error>((first, name()?))
        }));
        let (first, second) = names.unwrap();
        assert_eq!(first, second);
        first
    });
    begun.recv().unwrap();
    let update = "UPDATE client SET name = 'Another' WHERE id = 'doorcode-cli'";
    test.database.execute(update);
    go_on.send(()).unwrap();
    assert_ne!(reader.join().unwrap(), "Another");
    let now = test
        .database
        .text("SELECT name FROM client WHERE id = 'doorcode-cli'");
    assert_eq!(now, "Another", "a later read sees it");
}
