#![allow(warnings)]
#[path = "../tests/store/kinds.rs"] mod kinds;
use std::{sync::Arc, time::Instant};
use meetme_store::*; use meetme_base::*; use kinds::*;
fn answer<T>(f: impl std::future::Future<Output=T>) -> T { 
  struct U(std::thread::Thread); impl std::task::Wake for U { fn wake(self: Arc<Self>) { self.0.unpark() } }
  let w = std::task::Waker::from(Arc::new(U(std::thread::current()))); let mut f = std::pin::pin!(f);
  loop { if let std::task::Poll::Ready(x) = f.as_mut().poll(&mut std::task::Context::from_waker(&w)) { return x } std::thread::park() } }
fn main() {
  for (name, open) in meetme_testdb::both() {
    let s = Store::open(&open, registry(), Arc::new(SystemClock)).unwrap();
    let org = answer(s.write(Context::system(), |tx| tx.create(RawId::new(0), Org::named("a")))).unwrap().id.any();
    let site = answer(s.write(Context::system(), move |tx| tx.create(org, Site::named("a")))).unwrap().id.any();
    let t = Instant::now(); let n = 4000;
    let v: Vec<_> = (0..n).map(|i| s.write(Context::system(), move |tx| tx.create(org, Device{name: format!("d{i}"), size: Some(i), site: Some(site), tags: vec!["x".into()], ..Default::default()}))).collect();
    let ids: Vec<_> = v.into_iter().map(|f| answer(f).map_err(|e: Error| e).unwrap().id).collect();
    println!("{name} create {:?} each", t.elapsed() / n as u32);
    let t = Instant::now();
    answer(s.write(Context::system(), move |tx| { for i in 0..n { tx.create(org, Mirror{n:i})?; } Ok::<_, Error>(()) })).unwrap();
    println!("{name} create unlogged in one tx {:?} each", t.elapsed() / n as u32);
    let t = Instant::now();
    answer(s.write(Context::system(), move |tx| { for i in 0..n { tx.create(org, Vault::with("v","x",None))?; } Ok::<_, Error>(()) })).unwrap();
    println!("{name} create logged+trigger, no search, one tx {:?} each", t.elapsed() / n as u32);
    let t = Instant::now();
    answer(s.write(Context::system(), move |tx| { for i in 0..n { tx.create(org, Cable::default())?; } Ok::<_, Error>(()) })).unwrap();
    println!("{name} create logged one tx {:?} each", t.elapsed() / n as u32);
    let t = Instant::now();
    answer(s.write(Context::system(), move |tx| { for i in 0..n { tx.create(org, Site::named(&format!("zz{i}")))?; } Ok::<_, Error>(()) })).unwrap();
    println!("{name} create site logged search one tx {:?} each", t.elapsed() / n as u32);
    let t = Instant::now();
    answer(s.write(Context::system(), move |tx| { for i in 0..n { tx.create(org, Device{name: format!("e{i}"), size: Some(i), site: Some(site), tags: vec!["x".into()], ..Default::default()})?; } Ok::<_, Error>(()) })).unwrap();
    println!("{name} create device one tx {:?} each", t.elapsed() / n as u32);
    let t = Instant::now(); let ids2 = ids.clone();
    answer(s.read(Context::system(), move |tx| { for id in &ids2 { tx.get(*id)?; } Ok::<_, Error>(()) })).unwrap();
    println!("{name} get {:?} each", t.elapsed() / n as u32);
    let t = Instant::now(); let ids2 = ids.clone();
    answer(s.write(Context::system(), move |tx| { for id in &ids2 { let mut o = tx.get(*id)?; let mut sp = o.spec.clone(); sp.name.push('x'); tx.save(&mut o, sp)?; } Ok::<_, Error>(()) })).unwrap();
    println!("{name} get+save {:?} each", t.elapsed() / n as u32);
    let t = Instant::now();
    answer(s.write(Context::system(), move |tx| { for i in 0..n { tx.claim("p", 0..=100000, 1, &[], org)?; } Ok::<_, Error>(()) })).unwrap();
    println!("{name} claim {:?} each", t.elapsed() / n as u32);
    let t = Instant::now();
    for q in ["d1x", "d3999x"] { for _ in 0..50 { answer(s.read(Context::system(), move |tx| tx.list::<Device>(&Query::of(Filter::Text(q.into())).page(20,0)))).map_err(|e: Error| e).unwrap(); } }
    println!("{name} text search {:?} each", t.elapsed() / 100);
    let t = Instant::now();
    for i in 0..100 { answer(s.read(Context::system(), move |tx| tx.list::<Device>(&Query::of(Filter::is("name", Op::ContainsFold("99".into())).and(Filter::eq("site.name","a"))).order(vec![Order::up("size")]).page(20,0)))).map_err(|e: Error| e).unwrap(); }
    println!("{name} scan+hop {:?} each", t.elapsed() / 100);
    let t = Instant::now();
    answer(s.write(Context::system(), move |tx| { for id in &ids { tx.remove(*id)?; } Ok::<_, Error>(()) })).unwrap();
    println!("{name} remove {:?} each", t.elapsed() / n as u32);
  }
}
