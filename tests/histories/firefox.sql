-- alice's Firefox: places.sqlite of Firefox 153 (toolkit/components/places), made up. All hosts are reserved
-- names, all credentials are invented.
PRAGMA user_version=86;
CREATE TABLE moz_origins(id INTEGER PRIMARY KEY,prefix TEXT NOT NULL,host TEXT NOT NULL,frecency INTEGER NOT NULL,recalc_frecency INTEGER NOT NULL DEFAULT 0,alt_frecency INTEGER,recalc_alt_frecency INTEGER NOT NULL DEFAULT 0,UNIQUE(prefix,host));
CREATE TABLE moz_places(id INTEGER PRIMARY KEY,url LONGVARCHAR,title LONGVARCHAR,rev_host LONGVARCHAR,visit_count INTEGER DEFAULT 0,hidden INTEGER DEFAULT 0 NOT NULL,typed INTEGER DEFAULT 0 NOT NULL,frecency INTEGER DEFAULT -1 NOT NULL,last_visit_date INTEGER,guid TEXT,foreign_count INTEGER DEFAULT 0 NOT NULL,url_hash INTEGER DEFAULT 0 NOT NULL,description TEXT,preview_image_url TEXT,site_name TEXT,origin_id INTEGER REFERENCES moz_origins(id),recalc_frecency INTEGER NOT NULL DEFAULT 0,alt_frecency INTEGER,recalc_alt_frecency INTEGER NOT NULL DEFAULT 0);
CREATE TABLE moz_historyvisits(id INTEGER PRIMARY KEY,from_visit INTEGER,place_id INTEGER,visit_date INTEGER,visit_type INTEGER,session INTEGER,source INTEGER DEFAULT 0 NOT NULL,triggeringPlaceId INTEGER);
CREATE TABLE moz_inputhistory(place_id INTEGER NOT NULL,input LONGVARCHAR NOT NULL,use_count INTEGER,PRIMARY KEY(place_id,input));
CREATE TABLE moz_bookmarks(id INTEGER PRIMARY KEY,type INTEGER,fk INTEGER DEFAULT NULL,parent INTEGER,position INTEGER,title LONGVARCHAR,keyword_id INTEGER,folder_type TEXT,dateAdded INTEGER,lastModified INTEGER,guid TEXT,syncStatus INTEGER NOT NULL DEFAULT 0,syncChangeCounter INTEGER NOT NULL DEFAULT 1);
CREATE TABLE moz_keywords(id INTEGER PRIMARY KEY AUTOINCREMENT,keyword TEXT UNIQUE,place_id INTEGER,post_data TEXT);
CREATE TABLE moz_anno_attributes(id INTEGER PRIMARY KEY,name VARCHAR(32) UNIQUE NOT NULL);
CREATE TABLE moz_annos(id INTEGER PRIMARY KEY,place_id INTEGER NOT NULL,anno_attribute_id INTEGER,content LONGVARCHAR,flags INTEGER DEFAULT 0,expiration INTEGER DEFAULT 0,type INTEGER DEFAULT 0,dateAdded INTEGER DEFAULT 0,lastModified INTEGER DEFAULT 0);
CREATE TABLE moz_meta(key TEXT PRIMARY KEY,value NOT NULL) WITHOUT ROWID;
CREATE INDEX moz_places_url_hashindex ON moz_places(url_hash);
CREATE INDEX moz_historyvisits_placedateindex ON moz_historyvisits(place_id,visit_date);
CREATE INDEX moz_historyvisits_fromindex ON moz_historyvisits(from_visit);

-- Ordinary pages and look-alikes.
INSERT INTO moz_places(id,url,title,visit_count,hidden,last_visit_date) VALUES(1,'https://weather.example/fresno?state=CA','Weather',1,0,unixepoch('2026-11-18 07:30:11') * 1000000 + 21000);
INSERT INTO moz_historyvisits(id,from_visit,place_id,visit_date,visit_type,session) VALUES(1,0,1,unixepoch('2026-11-18 07:30:11') * 1000000 + 21000,2,0);
INSERT INTO moz_places(id,url,title,visit_count,hidden,last_visit_date) VALUES(2,'https://shop.example/product/88?code=SAVE10&utm_source=mail','Kettle',1,0,unixepoch('2026-11-18 07:31:40') * 1000000 + 700000);
INSERT INTO moz_historyvisits(id,from_visit,place_id,visit_date,visit_type,session) VALUES(2,0,2,unixepoch('2026-11-18 07:31:40') * 1000000 + 700000,1,0);
INSERT INTO moz_places(id,url,title,visit_count,hidden,last_visit_date) VALUES(3,'https://forum.example/thread?page_token=3&lang=en','Forum',1,0,unixepoch('2026-11-18 07:33:02') * 1000000 + 118000);
INSERT INTO moz_historyvisits(id,from_visit,place_id,visit_date,visit_type,session) VALUES(3,0,3,unixepoch('2026-11-18 07:33:02') * 1000000 + 118000,1,0);

-- Code flow with PKCE S256. The redirect sources are hidden; the callback answers with a redirect, so it is one of them.
INSERT INTO moz_places(id,url,title,visit_count,hidden,last_visit_date) VALUES(4,'https://wiki.example/','Wiki',1,0,unixepoch('2026-11-18 08:00:01') * 1000000 + 100000);
INSERT INTO moz_historyvisits(id,from_visit,place_id,visit_date,visit_type,session) VALUES(4,0,4,unixepoch('2026-11-18 08:00:01') * 1000000 + 100000,2,0);
INSERT INTO moz_places(id,url,title,visit_count,hidden,last_visit_date) VALUES(5,'https://login.idp.example/oauth2/authorize?response_type=code&client_id=wiki&redirect_uri=https%3A%2F%2Fwiki.example%2Foidc%2Fcallback&scope=openid&state=jAeMhX0VcUNPjeBM5nRu3D&nonce=r2vUN7Eo4hRQt1symP&code_challenge=Ou-tMLaApNBJke0sgOVb1m46DS7bz2xMAmVDvpLs7fE&code_challenge_method=S256',NULL,1,1,unixepoch('2026-11-18 08:00:03') * 1000000 + 245000);
INSERT INTO moz_historyvisits(id,from_visit,place_id,visit_date,visit_type,session) VALUES(5,4,5,unixepoch('2026-11-18 08:00:03') * 1000000 + 245000,1,0);
INSERT INTO moz_places(id,url,title,visit_count,hidden,last_visit_date) VALUES(6,'https://wiki.example/oidc/callback?code=Ar8ldHxMwar5rfh34mH9hGlupQ1Q_JVOtcrwgQUM&state=jAeMhX0VcUNPjeBM5nRu3D',NULL,1,1,unixepoch('2026-11-18 08:00:03') * 1000000 + 512000);
INSERT INTO moz_historyvisits(id,from_visit,place_id,visit_date,visit_type,session) VALUES(6,5,6,unixepoch('2026-11-18 08:00:03') * 1000000 + 512000,6,0);
INSERT INTO moz_places(id,url,title,visit_count,hidden,last_visit_date) VALUES(7,'https://wiki.example/Main_Page','Main page',1,0,unixepoch('2026-11-18 08:00:03') * 1000000 + 610000);
INSERT INTO moz_historyvisits(id,from_visit,place_id,visit_date,visit_type,session) VALUES(7,6,7,unixepoch('2026-11-18 08:00:03') * 1000000 + 610000,6,0);

-- Implicit flow of OpenID Connect, both tokens (Core section 3.2). Firefox drops URLs of more than 2000 characters, so these are small.
INSERT INTO moz_places(id,url,title,visit_count,hidden,last_visit_date) VALUES(8,'https://reader.example/','Reader',1,0,unixepoch('2026-11-18 08:15:18') * 1000000 + 30000);
INSERT INTO moz_historyvisits(id,from_visit,place_id,visit_date,visit_type,session) VALUES(8,0,8,unixepoch('2026-11-18 08:15:18') * 1000000 + 30000,2,0);
INSERT INTO moz_places(id,url,title,visit_count,hidden,last_visit_date) VALUES(9,'https://login.idp.example/authorize?response_type=id_token%20token&client_id=reader&redirect_uri=https%3A%2F%2Freader.example%2Fsigned-in&scope=openid%20feeds&state=RUxEo2lv_iiL&nonce=tbo5kD339yM677H3',NULL,1,1,unixepoch('2026-11-18 08:15:19') * 1000000 + 871000);
INSERT INTO moz_historyvisits(id,from_visit,place_id,visit_date,visit_type,session) VALUES(9,8,9,unixepoch('2026-11-18 08:15:19') * 1000000 + 871000,1,0);
INSERT INTO moz_places(id,url,title,visit_count,hidden,last_visit_date) VALUES(10,'https://reader.example/signed-in#access_token=bpSjlsbcScSa4A1_o_HBBLr7LQNsmlxoyPeV6RSm&token_type=Bearer&expires_in=600&id_token=eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6IjIwMjYtMTAifQ.eyJpc3MiOiJodHRwczovL2xvZ2luLmlkcC5leGFtcGxlIiwic3ViIjoiYWxpY2UtODQxMiIsImF1ZCI6InJlYWRlciIsImlhdCI6MTc5NDk4OTcyMCwiZXhwIjoxNzk0OTkwMzIwLCJub25jZSI6InRibzVrRDMzOXlNNjc3SDMiLCJhdF9oYXNoIjoiWHRvLVBJQXFJNGlGeWp1WTBCZGxidyJ9.bWFkZSB1cCwgdmVyaWZpZXMgbm93aGVyZTog3G2WyWHST_dVmEELgWhLghmuP7-h6AP58NLnoP1OtnNJJmjE_Q&state=RUxEo2lv_iiL','Reader',1,0,unixepoch('2026-11-18 08:15:20') * 1000000 + 104000);
INSERT INTO moz_historyvisits(id,from_visit,place_id,visit_date,visit_type,session) VALUES(10,9,10,unixepoch('2026-11-18 08:15:20') * 1000000 + 104000,6,0);
INSERT INTO moz_places(id,url,title,visit_count,hidden,last_visit_date) VALUES(11,'https://reader.example/signed-in','Reader',1,0,unixepoch('2026-11-18 08:15:20') * 1000000 + 377000);
INSERT INTO moz_historyvisits(id,from_visit,place_id,visit_date,visit_type,session) VALUES(11,10,11,unixepoch('2026-11-18 08:15:20') * 1000000 + 377000,1,0);

-- A password reset link, and the page it leads to.
INSERT INTO moz_places(id,url,title,visit_count,hidden,last_visit_date) VALUES(12,'https://bank.example/reset-password?reset_token=_2dQHupGuin-eOH6CyD9KC-MLuWHelkLriIDwBXAW_o','Choose a password',1,0,unixepoch('2026-11-18 09:41:00') * 1000000 + 500000);
INSERT INTO moz_historyvisits(id,from_visit,place_id,visit_date,visit_type,session) VALUES(12,0,12,unixepoch('2026-11-18 09:41:00') * 1000000 + 500000,1,0);

-- A download whose URL carries a key; its visit is of type 7.
INSERT INTO moz_places(id,url,title,visit_count,hidden,last_visit_date) VALUES(13,'https://api.example/v1/export.csv?access_token=0yDM5oVmnNOcOHuPx55wGZ7fx1RDhRooKEm23cPk','export.csv',1,0,unixepoch('2026-11-18 10:02:33') * 1000000 + 333000);
INSERT INTO moz_historyvisits(id,from_visit,place_id,visit_date,visit_type,session) VALUES(13,0,13,unixepoch('2026-11-18 10:02:33') * 1000000 + 333000,7,0);
INSERT INTO moz_anno_attributes VALUES(1,'downloads/destinationFileURI'),(2,'downloads/metaData');
INSERT INTO moz_annos VALUES(1,13,1,'file:///home/alice/Downloads/export.csv',0,4,3,unixepoch('2026-11-18 10:02:33') * 1000000 + 400000,0);
INSERT INTO moz_annos VALUES(2,13,2,'{"state":1,"endTime":1795082553900,"fileSize":1204}',0,4,3,unixepoch('2026-11-18 10:02:33') * 1000000 + 400000,0);

-- A bookmark that was never visited.
INSERT INTO moz_places(id,url,title,visit_count,foreign_count) VALUES(14,'https://ci.example/job/42/?auth_token=sAFZu-rw8-mUkSDIk_WM_DhnR_e7ctmLzZdZ','Nightly build',0,1);
INSERT INTO moz_bookmarks VALUES(1,1,14,0,0,'Nightly build',NULL,NULL,0,0,'',0,1);
INSERT INTO moz_inputhistory VALUES(1,'weather',3);
