-- Contents that a program left in the tables of schema version 1: a delivery in each state, and unfinished work.

update inbox_info set store = '181daeef-61a1-4605-9ec3-dc5b0824a442', created_at = 1736933340000;

insert into deliveries (
  id, identity, variant, source, hook_id, guid, event, state, matched, rerun, next_at, received_at, stored_at,
  batch, sha256, replay_key, headers_size, size, trace, form, address, secret_id, secret_index, algorithm, recovered,
  duplicates, replayed, reason, action, repository, sender, title, ref, sha, number, edited_from
) values
  (2, '\xa4c3ed04a95a3da12adaa7cf17235902', 0, '/hooks', '292430182', 'done', 'push', 'done', true, false, null, 1736933460000, 1736933460004, 102, '\x81469734b264bbf347ba6dbcdaeb69e2f3866ba451f84d6a40cdbc46c9f75abd', 142140184506980, 125, 63, '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', 'json', '140.82.115.7', 'main', 0, 'sha256', false, 1, false, null, null, 'octo/app', 'mona', 'refs/heads/main', 'refs/heads/main', '9fceb02d0ae598e95dc970b74767f19372d61af8', null, null),
  (4, '\x28a3a5e81d1e89f02adaa7cf17235902', 0, '/hooks', '292430182', 'dead', 'issues', 'dead', true, false, null, 1736933580000, 1736933580004, 103, '\xc1bf55750bb78b194c367573a89becae9ad4491bbaa222e5fd61b1c18f142ab2', 213027516648375, 127, 80, null, 'json', '140.82.115.7', 'main', 0, 'sha256', false, 0, false, null, 'opened', 'octo/app', 'mona', 'Überschrift', null, null, 7, null),
  (5, '\x3514cf816e5407a32adaa7cf17235902', 0, '/hooks', '292430182', 'ignored', 'star', 'ignored', true, false, null, 1736933640000, 1736933640004, 104, '\xbf0b5a21f20b8f167735a26ff0d13fb3cd5687e17177c2606ad24875c6739e3d', 210055477719563, 128, 58, null, 'json', '140.82.115.7', 'main', 0, 'sha256', false, 0, false, null, 'created', 'octo/app', 'mona', null, null, null, null, null),
  (6, '\x80cfa3e7f28dde4d2adaa7cf17235902', 0, '/hooks', '292430182', 'waiting', 'issues', 'retrying', true, false, 1736935260000, 1736933700000, 1736933700004, 105, '\xf8ae3f7188645f7699ddd7bd43fa79f1c0a3b520233a9138c7291cc252664454', 273427272403044, 130, 57, null, 'json', '140.82.115.7', 'main', 0, 'sha256', false, 0, false, null, 'opened', 'octo/app', 'mona', 'Überschrift', null, null, 7, null),
  (7, '\xc071cf5f5ed6f8842adaa7cf17235902', 0, '/hooks', '292430182', 'running', 'push', 'running', true, false, null, 1736933760000, 1736933760004, 106, '\xc396f39c2321485150d36bce9f169a5c91d88be0c07f5c8568d8939a8c8aa8fa', 215053099606817, 128, 63, null, 'json', '140.82.115.7', 'main', 0, 'sha256', false, 0, false, null, 'opened', 'octo/app', 'mona', 'Überschrift', null, null, 7, null),
  (8, '\x458a4770df2b51b52adaa7cf17235902', 0, '/hooks', '292430182', 'due', 'push', 'pending', true, false, null, 1736933820000, 1736933820004, 107, '\x8d2bdc1e18c089edfd5cef91e2ab25b489e0a85a92db87656f0146d3dd0b632e', 155219516070080, 124, 62, null, 'json', '140.82.115.7', 'main', 0, 'sha256', false, 0, false, null, 'opened', 'octo/app', 'mona', 'Überschrift', null, null, 7, null),
  (9, '\xc20dea4d876b5b8f2adaa7cf17235902', 0, '/hooks', '292430182', 'held', 'push', 'pending', true, false, null, 1736933880000, 1736933880004, 108, '\x96617c5c1c9be74659c141811e9827f75ea036f1aa9595bd62732d59dd0c0f62', 165345442405531, 125, 63, null, 'json', '140.82.115.7', 'main', 0, 'sha256', false, 0, false, null, 'opened', 'octo/app', 'mona', 'Überschrift', null, null, 7, null),
  (10, '\x1fcc4b37141c12bd2adaa7cf17235902', 0, '/hooks', '292430182', 'discarded', 'issues', 'discarded', true, false, null, 1736933940000, 1736933940004, 109, '\x4e410681ffdd67b90427ba5360c21c29085fa3fadab550868de93c797c6f4b2a', 86041189023709, 132, 58, null, 'json', '140.82.115.7', 'main', 0, 'sha256', false, 0, false, 'Not wanted', null, null, null, null, null, null, null, null),
  (11, '\x62a2fed3d6e08c44627b14812c83d57b', 0, '/hooks', '292430182', 'pending', 'push', 'pending', false, false, null, 1736934000000, 1736934000004, 110, '\x790f9edd099a0a900b2f807710b14fb5e6ce56bf2fefa11a90777a650d7cbf08', 133107996756378, 128, 51, null, 'form', null, null, null, null, false, 0, false, null, null, null, null, null, null, null, null, null),
  (13, '\x62a2fed3d6e08c44627b14812c83d57b', 1, '/hooks', '292430182', 'pending', 'push', 'pending', false, false, null, 1736934060000, 1736934060004, 111, '\x0d5bb32bbfac4d7ae6c7a2ca6fc5feb3f808a582226dedc6ae32fe509e0f25cc', 14687499173804, 128, 52, null, 'form', null, null, null, null, false, 0, false, null, null, null, null, null, null, null, null, null),
  (14, '\xf6e09cc89f85dcd22adaa7cf17235902', 0, '/hooks', '292430182', 'recovered', 'push', 'pending', false, false, null, 1736934120000, 1736934120004, 112, '\x6713934d85f45da7bcaaa8b95a5823c957517c44aea55074b5d1b6cf7d8b0dbc', 113333773370868, 130, 68, null, 'json', '140.82.115.7', 'main', 0, 'sha256', true, 0, false, null, null, null, null, null, null, null, null, 2);
select setval('delivery_ids', 14);

insert into contents (delivery_id, bytes) values
  (2, '\x28b52ffd20bc6d0400a28a201c7025d60170956885b48920a24a5a1322d2d5f786cb31adda85fa3f844d73e712711bfc744d72015a8bc799f4e57133c84edf852fcb044195ba103cf43dfdd077a6b92eaba72f4f15d6542d189da2a788ab1972062e5ca9cc6110a0e6050598895344a2d9e0e9bd8ae4790ae3852fc300b4cc3a0dd69ccba7ab5bfaf46a2f1b670202003b39596e5066'),
  (4, '\x28b52ffd20cfe50400d24b2421b025e90c2b1a9c906c59db72fb2da5ddd64ad29adc5bfa28c0f38201c147262b15cbf2b5ced846fb7324380d50aa1dae9c276c3b7917b217ef43320431c3c3e0e0e7a83afbc5132aaefdb96e36ba2bcbd361fa79c230910a136363ce049aa3219d0853f0e229dd150a04a317e1815d83399aa113e0e7ad8838c390db8bebb280a19b7d28d55af7735c499b566c5d742502003d79596e5066'),
  (5, '\x28b52ffd20ba5d0400820a201d70256e03709591a489b6e8a6ba0843daa554455827c7d4946fe9ff17024d73c690e04e7cf414c025acf50a67d097c6ad8e59b60f57d9982d1d7d593be199e62a1b2fa2475f5a2aba52356ca7e4395ed28a9c810f570ab128044473e202988d733ca37570f4de44f0b474efc3971d00b1ac8d49176378f4644b9fdeece5742602003b39596e5066'),
  (6, '\x28b52ffd20bb650400924a201d70a76d03e61f155bf49088b6c6c58f6d2d09746f9d1c23966328fdff42cbf2b5aed846fb732c380d50aa095c394fd876f22e64279e9057a19feb66a3bbb21cd1ec3c839f270c0fa9303136e63ca029344327620e4e3ca53bc32014bd0626d83d4ca11d9d003f6f45e40c436e27aecb03856ef6a1546bddcf71256d5ab175d19502003d79596e5066'),
  (7, '\x28b52ffd20bf850400d24a211d6047e30608a817bd682da2a4a34688fd8b35700f06d0847c6912044117cbf2d6f06c1b7bf42c401560ec1d57d013b7bd785bba0f3758c68713a63a7ca43bfa91eeca724497ea73474f5c1616cba4f8b5421ac253bd1073f0e129211204c0e9554cb05b18c22b7a051cbd3511342ef97db82e0f1cddd5682cd61a1e3d5bd2a6355bd7b81202003b39596e5066'),
  (8, '\x28b52ffd20ba650400824a201d7025d601709568855091d42d82b42644e4aa4e0c97635ab50bf57f08014d73e644dbc73e5d01d20d5a8bc899f4e56d33b8acefc3352a0455ea4210d1f77444df99e61ad5d397a70a6baa168cace831e26a969c800f572a932002a877c1c26e718c5834133cbd9d26799ec2f8e16e2101b9659d076bccf974e5a54f3b6db7c79902003b39596e5066'),
  (9, '\x28b52ffd20bc750400520a201d7025d601709568855091d42d82b42644e4aa4e0c97635ab50bf57f08014d73e644dbc73e5d01d20d5a8bc899f4e56d33b8acef03822a752188e87b3aa2ef4c73d5743d7d79aab0a66ac1c88a1e23ae66c909f870a5320922807a172cec16c7884533c1d3db6992e7298c1fee1612905bd679b0c69c4f575efab4d3767b9c090300e429bc9d9c2c372833'),
  (10, '\x28b52ffd20be750400c2ca201d70a76d03e62323891e1252d2b8f8b1db05d3e3ad9363d224dfd2ff2f04cbf2b58ed846fbf334382590521bb8729eb06de55dc93e1cb33325fe5cad36ba2bcb31911d62c59f272c0b9a12391bb316d21c8dd08a98830f47bc2b0a00a297c005bb86399ad11af0f356899c61c9edc3d53201a156fb90a6b5eee7b99236adb2d5a22b0102003d79596e5066'),
  (11, '\x28b52ffd20b37d0400b249201e6047dd03f5af5cdedcfc28879ff502408e3eb766ac87536307880541081c0287eeaac1f32659858a7b25ab10c0a0bbdaf4dbd580430f8afd89d825a4d3986aed12c9e835c49e560b4607755ae27ae6a48324522966c32814ef0b16b82b6989cab38144f25b3b9c5ec398443687044573f6ccb0c7394e24db459fbef53767122103007b19ca4e9e961bd419'),
  (13, '\x28b52ffd20b47d0400c249201e70356eea2a342511e1b0aabb5bb39fff9fdf080b7eb697dc6239ffff7304084477f5f57a5756a1e25eca2a3410745701faedea01d182627f227605e934a65abb4c327a0db1a7d582d1419d98b89e3969208b548af93806c6fb8202ee4b62e2f22c91497e6b87d36b18b3c8e630c068ce9e1bf638c79964bbe8d3b7fee64d120403007b19ca4e9e961bd419'),
  (14, '\x28b52ffd20c6850400520a201d70a7d501e6837f8550116a6b10591322c4d5f7c3c8316a2e01eaff1002cb72e63cdb698fae04e9025a8bc615f4e46d33b8acefc2812a751d6818faae2c57fa14d9a4efe8c9538435550b4646d41471353b4cc1852b95390c83d3bbe0c02e618a483403387a3b3dd23c85f1c2dd4281e3967526d698f3e8ca499b76da6ed395040041edd9663b76f2b4dca0ce');

insert into acks (batch, at) values
  (101, 1736933400009),
  (102, 1736933460009),
  (103, 1736933580009),
  (104, 1736933640009),
  (105, 1736933700009),
  (106, 1736933760009),
  (107, 1736933820009),
  (108, 1736933880009),
  (109, 1736933940009),
  (110, 1736934000009);

insert into tasks (delivery_id, handler, state, next_at, delay, order_key, order_hash, attempt, attempts_used, worker, started_at) values
  (2, 'build', 'done', null, null, null, null, 1, 1, null, null),
  (2, 'notify', 'done', null, null, null, null, 1, 1, null, null),
  (4, 'build', 'dead', null, null, null, null, 1, 1, null, null),
  (6, 'build', 'done', null, null, null, null, 1, 1, null, null),
  (6, 'notify', 'retrying', 1736935260000, 59750, null, null, 1, 1, null, null),
  (7, 'build', 'running', null, null, 'octo/app', 218626646238698, 1, 1, 1, 1736933820000),
  (8, 'notify', 'pending', 0, null, null, null, 0, 0, null, null),
  (9, 'build', 'pending', null, null, 'octo/app', 218626646238698, 0, 0, null, null);

insert into attempts (delivery_id, handler, number, started_at, duration, outcome, error, result, log) values
  (2, 'build', 1, 1736935200000, 250, 'succeeded', null, '{"built":true}', '2025-01-15T10:00:00.000Z info built {}
'),
  (2, 'notify', 1, 1736935200000, 250, 'succeeded', null, null, null),
  (4, 'build', 1, 1736935200000, 250, 'dead', 'Error: out of order
    at build (hooks.ts:7:9)', null, null),
  (6, 'build', 1, 1736935200000, 250, 'succeeded', null, null, null),
  (6, 'notify', 1, 1736935200000, 250, 'failed', 'Error: not now', null, null);

insert into workers (id, handlers, heartbeats, interval) overriding system value values
  (1, '[{"name": "build", "backoff": 1000, "timeout": 900000}, {"name": "notify", "backoff": 1000, "timeout": 900000}]', 6, 100);

insert into handlers (name, seen_at) values
  ('build', 1736935320000),
  ('notify', 1736935320000);

insert into pauses (handler) values
  ('deploy');

insert into tombstones (identity, hook_id, variant, sha256, state, recovered, pruned_at) values
  ('\x0fedead8d392392e2adaa7cf17235902', '1', 0, '\x457eca6b6a9351c0778f1c375c2de843afb34f9449df7df6d714fe931cafb1f4', 'done', false, 1736933430000);

insert into rejections (id, at, code, status, reason, source, address, event, guid, headers) overriding system value values
  (1, 1736933400000, 'bad_signature', 403, 'No secret fits', '/hooks', '198.51.100.7', 'push', 'refused', '{"user-agent":"curl/8.5.0"}');

insert into key_values (name, text) values
  ('ranges', '{"ranges":["192.0.2.0/24"]}');

insert into counts (step, at, measure, name, outcome, count) values
  (0, 0, 'rejected', 'bad_signature', '', 3),
  (60000, 1736933400000, 'attempts', 'build', 'succeeded', 2),
  (3600000, 1736931600000, 'attempts', 'build', 'succeeded', 2);

insert into missed_deliveries (hook_id, guid, target, event, action, delivery_id, delivered_at, status, state, requests, requested_at, expires_at) values
  ('292430182', 'missing', 'octo/app#7', 'push', null, 12345678901, 1736933400000, 'Service Unavailable', 'requested', 1, 1736933460000, 1737192600000);

insert into leases (name, holder, until) values
  ('sweep', 'a process that is gone', '2025-01-15 09:45:00+00');
