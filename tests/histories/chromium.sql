-- alice's Chrome: the History of Chromium 156 (components/history/core/browser), made up. All hosts are
-- reserved names, all credentials are invented; the signatures of the JWTs verify nowhere.
CREATE TABLE meta(key LONGVARCHAR NOT NULL UNIQUE PRIMARY KEY, value LONGVARCHAR);
CREATE TABLE urls(id INTEGER PRIMARY KEY AUTOINCREMENT,url LONGVARCHAR,title LONGVARCHAR,visit_count INTEGER DEFAULT 0 NOT NULL,typed_count INTEGER DEFAULT 0 NOT NULL,last_visit_time INTEGER NOT NULL,hidden INTEGER DEFAULT 0 NOT NULL);
CREATE TABLE visits(id INTEGER PRIMARY KEY AUTOINCREMENT,url INTEGER NOT NULL,visit_time INTEGER NOT NULL,from_visit INTEGER,external_referrer_url TEXT,transition INTEGER DEFAULT 0 NOT NULL,segment_id INTEGER,visit_duration INTEGER DEFAULT 0 NOT NULL,incremented_omnibox_typed_score BOOLEAN DEFAULT FALSE NOT NULL,opener_visit INTEGER,originator_cache_guid TEXT,originator_visit_id INTEGER,originator_from_visit INTEGER,originator_opener_visit INTEGER,is_known_to_sync BOOLEAN DEFAULT FALSE NOT NULL,consider_for_ntp_most_visited BOOLEAN DEFAULT FALSE NOT NULL,visited_link_id INTEGER DEFAULT 0 NOT NULL,app_id TEXT);
CREATE TABLE visit_source(id INTEGER PRIMARY KEY,source INTEGER NOT NULL);
CREATE TABLE visited_links(id INTEGER PRIMARY KEY AUTOINCREMENT,link_url_id INTEGER NOT NULL,top_level_url LONGVARCHAR NOT NULL,frame_url LONGVARCHAR NOT NULL,visit_count INTEGER DEFAULT 0 NOT NULL);
CREATE TABLE keyword_search_terms(keyword_id INTEGER NOT NULL,url_id INTEGER NOT NULL,term LONGVARCHAR NOT NULL,normalized_term LONGVARCHAR NOT NULL);
CREATE TABLE downloads(id INTEGER PRIMARY KEY,guid VARCHAR NOT NULL,current_path LONGVARCHAR NOT NULL,target_path LONGVARCHAR NOT NULL,start_time INTEGER NOT NULL,received_bytes INTEGER NOT NULL,total_bytes INTEGER NOT NULL,state INTEGER NOT NULL,danger_type INTEGER NOT NULL,interrupt_reason INTEGER NOT NULL,hash BLOB NOT NULL,end_time INTEGER NOT NULL,opened INTEGER NOT NULL,last_access_time INTEGER NOT NULL,transient INTEGER NOT NULL,referrer VARCHAR NOT NULL,site_url VARCHAR NOT NULL,embedder_download_data VARCHAR NOT NULL,tab_url VARCHAR NOT NULL,tab_referrer_url VARCHAR NOT NULL,http_method VARCHAR NOT NULL,by_ext_id VARCHAR NOT NULL,by_ext_name VARCHAR NOT NULL,by_web_app_id VARCHAR NOT NULL,etag VARCHAR NOT NULL,last_modified VARCHAR NOT NULL,mime_type VARCHAR(255) NOT NULL,original_mime_type VARCHAR(255) NOT NULL);
CREATE TABLE downloads_url_chains(id INTEGER NOT NULL,chain_index INTEGER NOT NULL,url LONGVARCHAR NOT NULL,PRIMARY KEY(id,chain_index));
CREATE TABLE segments(id INTEGER PRIMARY KEY,name VARCHAR,url_id INTEGER NON NULL);
CREATE TABLE segment_usage(id INTEGER PRIMARY KEY,segment_id INTEGER NOT NULL,time_slot INTEGER NOT NULL,visit_count INTEGER DEFAULT 0 NOT NULL);
CREATE TABLE content_annotations(visit_id INTEGER PRIMARY KEY,visibility_score NUMERIC,floc_protected_score NUMERIC,categories VARCHAR,page_topics_model_version INTEGER,annotation_flags INTEGER NOT NULL,entities VARCHAR,related_searches VARCHAR,search_normalized_url VARCHAR,search_terms LONGVARCHAR,alternative_title VARCHAR,page_language VARCHAR,password_state INTEGER DEFAULT 0 NOT NULL,has_url_keyed_image BOOLEAN NOT NULL);
CREATE TABLE context_annotations(visit_id INTEGER PRIMARY KEY,context_annotation_flags INTEGER NOT NULL,duration_since_last_visit INTEGER,page_end_reason INTEGER,total_foreground_duration INTEGER,browser_type INTEGER DEFAULT 0 NOT NULL,window_id INTEGER DEFAULT -1 NOT NULL,tab_id INTEGER DEFAULT -1 NOT NULL,task_id INTEGER DEFAULT -1 NOT NULL,root_task_id INTEGER DEFAULT -1 NOT NULL,parent_task_id INTEGER DEFAULT -1 NOT NULL,response_code INTEGER DEFAULT 0 NOT NULL);
CREATE TABLE clusters(cluster_id INTEGER PRIMARY KEY AUTOINCREMENT,should_show_on_prominent_ui_surfaces BOOLEAN NOT NULL,label VARCHAR NOT NULL,raw_label VARCHAR NOT NULL,triggerability_calculated BOOLEAN NOT NULL,originator_cache_guid TEXT NOT NULL,originator_cluster_id INTEGER NOT NULL);
CREATE TABLE clusters_and_visits(cluster_id INTEGER NOT NULL,visit_id INTEGER NOT NULL,score NUMERIC DEFAULT 0 NOT NULL,engagement_score NUMERIC DEFAULT 0 NOT NULL,url_for_deduping LONGVARCHAR NOT NULL,normalized_url LONGVARCHAR NOT NULL,url_for_display LONGVARCHAR NOT NULL,interaction_state INTEGER DEFAULT 0 NOT NULL,PRIMARY KEY(cluster_id,visit_id)) WITHOUT ROWID;
CREATE INDEX visits_url_index ON visits(url);
CREATE INDEX visits_from_index ON visits(from_visit);
CREATE INDEX visits_time_index ON visits(visit_time);
CREATE INDEX urls_url_index ON urls(url);
CREATE INDEX keyword_search_terms_index2 ON keyword_search_terms(url_id);
CREATE INDEX clusters_for_visit ON clusters_and_visits(visit_id);
INSERT INTO meta VALUES('version','70'),('last_compatible_version','16'),('mmap_status','-1');

-- Ordinary pages, and names that look like protocol parameters and are none.
INSERT INTO urls(id,url,title,visit_count,typed_count,last_visit_time,hidden) VALUES(1,'https://news.example/','News',1,0,(unixepoch('2026-11-20 08:58:01') + 11644473600) * 1000000 + 201000,0);
INSERT INTO visits(id,url,visit_time,from_visit,opener_visit,transition) VALUES(1,1,(unixepoch('2026-11-20 08:58:01') + 11644473600) * 1000000 + 201000,0,0,939524097);
INSERT INTO urls(id,url,title,visit_count,typed_count,last_visit_time,hidden) VALUES(2,'https://news.example/article?id=4711#comments','A long read',1,0,(unixepoch('2026-11-20 08:58:20') + 11644473600) * 1000000 + 870000,0);
INSERT INTO visits(id,url,visit_time,from_visit,opener_visit,transition) VALUES(2,2,(unixepoch('2026-11-20 08:58:20') + 11644473600) * 1000000 + 870000,1,0,805306368);
INSERT INTO urls(id,url,title,visit_count,typed_count,last_visit_time,hidden) VALUES(3,'https://shop.example/cart?code=SAVE10','Your cart',1,0,(unixepoch('2026-11-20 08:59:02') + 11644473600) * 1000000 + 333000,0);
INSERT INTO visits(id,url,visit_time,from_visit,opener_visit,transition) VALUES(3,3,(unixepoch('2026-11-20 08:59:02') + 11644473600) * 1000000 + 333000,0,0,805306368);
INSERT INTO urls(id,url,title,visit_count,typed_count,last_visit_time,hidden) VALUES(4,'https://geo.example/lookup?country_code=DE&code=49','Dialling codes',1,0,(unixepoch('2026-11-20 08:59:31') + 11644473600) * 1000000 + 4000,0);
INSERT INTO visits(id,url,visit_time,from_visit,opener_visit,transition) VALUES(4,4,(unixepoch('2026-11-20 08:59:31') + 11644473600) * 1000000 + 4000,0,0,805306368);
INSERT INTO urls(id,url,title,visit_count,typed_count,last_visit_time,hidden) VALUES(5,'https://homes.example/search?state=CA&city=Fresno','Homes in Fresno',1,0,(unixepoch('2026-11-20 08:59:44') + 11644473600) * 1000000 + 90000,0);
INSERT INTO visits(id,url,visit_time,from_visit,opener_visit,transition) VALUES(5,5,(unixepoch('2026-11-20 08:59:44') + 11644473600) * 1000000 + 90000,0,0,805306368);
INSERT INTO urls(id,url,title,visit_count,typed_count,last_visit_time,hidden) VALUES(6,'https://docs.example/errors?code=404','Error codes',1,0,(unixepoch('2026-11-20 08:59:58') + 11644473600) * 1000000 + 512000,0);
INSERT INTO visits(id,url,visit_time,from_visit,opener_visit,transition) VALUES(6,6,(unixepoch('2026-11-20 08:59:58') + 11644473600) * 1000000 + 512000,0,0,805306368);

-- Implicit flow (RFC 6749 section 4.2): the access token arrives in the fragment. The page cleans its URL with replaceState, which adds a row and removes none.
INSERT INTO urls(id,url,title,visit_count,typed_count,last_visit_time,hidden) VALUES(7,'https://spa.example/','Orders',1,0,(unixepoch('2026-11-20 09:03:10') + 11644473600) * 1000000 + 118000,0);
INSERT INTO visits(id,url,visit_time,from_visit,opener_visit,transition) VALUES(7,7,(unixepoch('2026-11-20 09:03:10') + 11644473600) * 1000000 + 118000,0,0,939524097);
INSERT INTO urls(id,url,title,visit_count,typed_count,last_visit_time,hidden) VALUES(8,'https://login.idp.example/authorize?response_type=token&client_id=spa-legacy&redirect_uri=https%3A%2F%2Fspa.example%2Fcallback&scope=orders.read%20profile&state=4xlbR1N2RQnb7vqUmLmGOs','Orders',1,0,(unixepoch('2026-11-20 09:03:12') + 11644473600) * 1000000 + 207000,0);
INSERT INTO visits(id,url,visit_time,from_visit,opener_visit,transition) VALUES(8,8,(unixepoch('2026-11-20 09:03:12') + 11644473600) * 1000000 + 207000,7,0,268435456);
INSERT INTO urls(id,url,title,visit_count,typed_count,last_visit_time,hidden) VALUES(9,'https://spa.example/callback#access_token=eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCIsImtpZCI6IjIwMjYtMTAifQ.eyJpc3MiOiJodHRwczovL2xvZ2luLmlkcC5leGFtcGxlIiwic3ViIjoiYWxpY2UtODQxMiIsImF1ZCI6Imh0dHBzOi8vYXBpLmV4YW1wbGUiLCJjbGllbnRfaWQiOiJzcGEtbGVnYWN5Iiwic2NvcGUiOiJvcmRlcnMucmVhZCBwcm9maWxlIiwiaWF0IjoxNzk1MTY1MzkyLCJleHAiOjE3OTUxNjg5OTIsImp0aSI6ImF0LTAwMDEifQ.bWFkZSB1cCwgdmVyaWZpZXMgbm93aGVyZTogMuKak2LHROjSkFnI52TBZqoeV15AwJdQsm3sYM8rmbAX-PZdXg&token_type=Bearer&expires_in=3600&scope=orders.read%20profile&state=4xlbR1N2RQnb7vqUmLmGOs','Orders',1,0,(unixepoch('2026-11-20 09:03:12') + 11644473600) * 1000000 + 410000,0);
INSERT INTO visits(id,url,visit_time,from_visit,opener_visit,transition) VALUES(9,9,(unixepoch('2026-11-20 09:03:12') + 11644473600) * 1000000 + 410000,8,0,2684354560);
INSERT INTO urls(id,url,title,visit_count,typed_count,last_visit_time,hidden) VALUES(10,'https://spa.example/callback','Orders',1,0,(unixepoch('2026-11-20 09:03:12') + 11644473600) * 1000000 + 655000,0);
INSERT INTO visits(id,url,visit_time,from_visit,opener_visit,transition) VALUES(10,10,(unixepoch('2026-11-20 09:03:12') + 11644473600) * 1000000 + 655000,0,9,805306368);
INSERT INTO urls(id,url,title,visit_count,typed_count,last_visit_time,hidden) VALUES(11,'https://spa.example/orders/1190','Order 1190',1,0,(unixepoch('2026-11-20 09:03:40') + 11644473600) * 1000000 + 1000,0);
INSERT INTO visits(id,url,visit_time,from_visit,opener_visit,transition) VALUES(11,11,(unixepoch('2026-11-20 09:03:40') + 11644473600) * 1000000 + 1000,10,0,805306368);
INSERT INTO visited_links VALUES(1,11,(SELECT url FROM urls WHERE id=9),'https://spa.example',1);
UPDATE visits SET visited_link_id=1 WHERE id=11;

-- Code flow with PKCE S256 (RFC 7636): request, sign-in form, callback. The challenge is that of RFC 7636 appendix B.
INSERT INTO urls(id,url,title,visit_count,typed_count,last_visit_time,hidden) VALUES(12,'https://shop.example/','Shop',1,0,(unixepoch('2026-11-20 09:12:00') + 11644473600) * 1000000 + 441000,0);
INSERT INTO visits(id,url,visit_time,from_visit,opener_visit,transition) VALUES(12,12,(unixepoch('2026-11-20 09:12:00') + 11644473600) * 1000000 + 441000,0,0,939524097);
INSERT INTO urls(id,url,title,visit_count,typed_count,last_visit_time,hidden) VALUES(13,'https://login.idp.example/oauth2/authorize?response_type=code&client_id=shop-web&redirect_uri=https%3A%2F%2Fshop.example%2Fauth%2Fcallback&scope=openid%20email&state=Betd3_G1vFo969xizvA6EnNa&nonce=pp7ENMIvy5fqUHq_1ksj&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256','Sign in',1,0,(unixepoch('2026-11-20 09:12:04') + 11644473600) * 1000000 + 902000,0);
INSERT INTO visits(id,url,visit_time,from_visit,opener_visit,transition) VALUES(13,13,(unixepoch('2026-11-20 09:12:04') + 11644473600) * 1000000 + 902000,12,0,268435456);
INSERT INTO urls(id,url,title,visit_count,typed_count,last_visit_time,hidden) VALUES(14,'https://login.idp.example/login?lang=en','Sign in',1,0,(unixepoch('2026-11-20 09:12:05') + 11644473600) * 1000000 + 17000,0);
INSERT INTO visits(id,url,visit_time,from_visit,opener_visit,transition) VALUES(14,14,(unixepoch('2026-11-20 09:12:05') + 11644473600) * 1000000 + 17000,13,0,2684354560);
INSERT INTO urls(id,url,title,visit_count,typed_count,last_visit_time,hidden) VALUES(15,'https://login.idp.example/consent','Sign in',1,0,(unixepoch('2026-11-20 09:12:19') + 11644473600) * 1000000 + 730000,0);
INSERT INTO visits(id,url,visit_time,from_visit,opener_visit,transition) VALUES(15,15,(unixepoch('2026-11-20 09:12:19') + 11644473600) * 1000000 + 730000,14,0,268435463);
INSERT INTO urls(id,url,title,visit_count,typed_count,last_visit_time,hidden) VALUES(16,'https://shop.example/auth/callback?code=VITqkr2QDF_hCjJWBKHjwenGtGRPEuBbVB9xm0&state=Betd3_G1vFo969xizvA6EnNa&iss=https%3A%2F%2Flogin.idp.example','Your account',1,0,(unixepoch('2026-11-20 09:12:19') + 11644473600) * 1000000 + 958000,0);
INSERT INTO visits(id,url,visit_time,from_visit,opener_visit,transition) VALUES(16,16,(unixepoch('2026-11-20 09:12:19') + 11644473600) * 1000000 + 958000,15,0,2147483655);
INSERT INTO urls(id,url,title,visit_count,typed_count,last_visit_time,hidden) VALUES(17,'https://shop.example/account','Your account',1,0,(unixepoch('2026-11-20 09:12:20') + 11644473600) * 1000000 + 122000,0);
INSERT INTO visits(id,url,visit_time,from_visit,opener_visit,transition) VALUES(17,17,(unixepoch('2026-11-20 09:12:20') + 11644473600) * 1000000 + 122000,16,0,2684354567);

-- Code flow with a plain challenge: no method means plain (RFC 7636 section 4.3), so the challenge is the verifier.
INSERT INTO urls(id,url,title,visit_count,typed_count,last_visit_time,hidden) VALUES(18,'https://legacy.example/','Intranet',1,0,(unixepoch('2026-11-20 10:01:30') + 11644473600) * 1000000 + 550000,0);
INSERT INTO visits(id,url,visit_time,from_visit,opener_visit,transition) VALUES(18,18,(unixepoch('2026-11-20 10:01:30') + 11644473600) * 1000000 + 550000,0,0,939524097);
INSERT INTO urls(id,url,title,visit_count,typed_count,last_visit_time,hidden) VALUES(19,'https://login.idp.example/oauth2/authorize?response_type=code&client_id=legacy-portal&redirect_uri=https%3A%2F%2Flegacy.example%2Fcb&scope=openid&state=7G33m0WenEsVCF2b&code_challenge=fiX1D_Xd0yPKo-PkMXDWin_Q0dpwjTSWISbO_K9HV6r','Intranet',1,0,(unixepoch('2026-11-20 10:01:31') + 11644473600) * 1000000 + 900000,0);
INSERT INTO visits(id,url,visit_time,from_visit,opener_visit,transition) VALUES(19,19,(unixepoch('2026-11-20 10:01:31') + 11644473600) * 1000000 + 900000,18,0,268435456);
INSERT INTO urls(id,url,title,visit_count,typed_count,last_visit_time,hidden) VALUES(20,'https://legacy.example/cb?code=35K9rImEZGy-opC155haSNvdDM5q-wCE&state=7G33m0WenEsVCF2b','Intranet',1,0,(unixepoch('2026-11-20 10:01:32') + 11644473600) * 1000000 + 101000,0);
INSERT INTO visits(id,url,visit_time,from_visit,opener_visit,transition) VALUES(20,20,(unixepoch('2026-11-20 10:01:32') + 11644473600) * 1000000 + 101000,19,0,2684354560);

-- A back end that redeems the code itself and then hands the tokens over in a fragment.
INSERT INTO urls(id,url,title,visit_count,typed_count,last_visit_time,hidden) VALUES(21,'https://portal.example/login','Portal',1,0,(unixepoch('2026-11-20 11:20:43') + 11644473600) * 1000000 + 300000,0);
INSERT INTO visits(id,url,visit_time,from_visit,opener_visit,transition) VALUES(21,21,(unixepoch('2026-11-20 11:20:43') + 11644473600) * 1000000 + 300000,0,0,939524097);
INSERT INTO urls(id,url,title,visit_count,typed_count,last_visit_time,hidden) VALUES(22,'https://login.idp.example/oauth2/authorize?response_type=code&client_id=portal-bff&redirect_uri=https%3A%2F%2Fportal.example%2Fapi%2Fauth%2Fcallback&scope=openid%20portal%20offline_access&state=mUiZQlRUEy9-W-LjEhN6','Portal',1,0,(unixepoch('2026-11-20 11:20:44') + 11644473600) * 1000000 + 10000,0);
INSERT INTO visits(id,url,visit_time,from_visit,opener_visit,transition) VALUES(22,22,(unixepoch('2026-11-20 11:20:44') + 11644473600) * 1000000 + 10000,21,0,268435456);
INSERT INTO urls(id,url,title,visit_count,typed_count,last_visit_time,hidden) VALUES(23,'https://portal.example/api/auth/callback?code=1_Gri97vrEiv4tj1qrxboIejBV0o1oh3zMo2&state=mUiZQlRUEy9-W-LjEhN6','Portal',1,0,(unixepoch('2026-11-20 11:20:45') + 11644473600) * 1000000 + 220000,0);
INSERT INTO visits(id,url,visit_time,from_visit,opener_visit,transition) VALUES(23,23,(unixepoch('2026-11-20 11:20:45') + 11644473600) * 1000000 + 220000,22,0,2147483648);
INSERT INTO urls(id,url,title,visit_count,typed_count,last_visit_time,hidden) VALUES(24,'https://portal.example/#access_token=eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCIsImtpZCI6IjIwMjYtMTAifQ.eyJpc3MiOiJodHRwczovL2xvZ2luLmlkcC5leGFtcGxlIiwic3ViIjoiYWxpY2UtODQxMiIsImF1ZCI6Imh0dHBzOi8vcG9ydGFsLmV4YW1wbGUvYXBpIiwiYXpwIjoicG9ydGFsLWJmZiIsInNjb3BlIjoib3BlbmlkIHBvcnRhbCIsImlhdCI6MTc5NTE3MzY0NSwiZXhwIjoxNzk1MTc0NTQ1LCJqdGkiOiJhdC0wMDAyIn0.bWFkZSB1cCwgdmVyaWZpZXMgbm93aGVyZTogB2YwvCaB3j2mrLr1oK-DlBG0D8QKWL3kIupLxTfaWU8bArZkRA&refresh_token=qRofzlgfFdfSKK45miRp2woz1VFe1WWfwMCNclauqBDBSNjO7W7ZUwcEZCdfUUo0&token_type=Bearer&expires_in=900','Portal',1,0,(unixepoch('2026-11-20 11:20:45') + 11644473600) * 1000000 + 530000,0);
INSERT INTO visits(id,url,visit_time,from_visit,opener_visit,transition) VALUES(24,24,(unixepoch('2026-11-20 11:20:45') + 11644473600) * 1000000 + 530000,23,0,2684354560);

-- A sign-in link from a mail.
INSERT INTO urls(id,url,title,visit_count,typed_count,last_visit_time,hidden) VALUES(25,'https://notes.example/auth/magic?token=GUaLCMP9QI_gGWbdvx7eDVk9dqGXr5Tk2UaZh2GWbvRqupV3&email=alice%40mail.example','Notes',1,0,(unixepoch('2026-11-20 12:05:09') + 11644473600) * 1000000 + 700000,0);
INSERT INTO visits(id,url,visit_time,from_visit,opener_visit,transition) VALUES(25,25,(unixepoch('2026-11-20 12:05:09') + 11644473600) * 1000000 + 700000,0,0,805306368);

-- A search for the name of a parameter.
INSERT INTO urls(id,url,title,visit_count,typed_count,last_visit_time,hidden) VALUES(26,'https://search.example/?q=what+is+an+access_token','what is an access_token',1,0,(unixepoch('2026-11-20 12:30:00') + 11644473600) * 1000000 + 40000,0);
INSERT INTO visits(id,url,visit_time,from_visit,opener_visit,transition) VALUES(26,26,(unixepoch('2026-11-20 12:30:00') + 11644473600) * 1000000 + 40000,0,0,805306373);
INSERT INTO keyword_search_terms VALUES(2,26,'what is an access_token','what is an access_token');

-- A download through a signed URL. Chromium makes no visit of it: the chain of URLs stands in its own table.
INSERT INTO urls(id,url,title,visit_count,typed_count,last_visit_time,hidden) VALUES(27,'https://files.example/reports','Reports',1,0,(unixepoch('2026-11-20 13:44:05') + 11644473600) * 1000000 + 10000,0);
INSERT INTO visits(id,url,visit_time,from_visit,opener_visit,transition) VALUES(27,27,(unixepoch('2026-11-20 13:44:05') + 11644473600) * 1000000 + 10000,0,0,805306368);
INSERT INTO downloads VALUES(1,'0f8fad5b-d9cb-469f-a165-70867728950e','/home/alice/Downloads/2026-q3.pdf','/home/alice/Downloads/2026-q3.pdf',(unixepoch('2026-11-20 13:44:10') + 11644473600) * 1000000 + 600000,48211,48211,1,0,0,x'',(unixepoch('2026-11-20 13:44:10') + 11644473600) * 1000000 + 600000+420000,0,0,0,'https://files.example/','https://storage.example/','','https://files.example/reports','','GET','','','','','','application/pdf','application/pdf');
INSERT INTO downloads_url_chains VALUES(1,0,'https://files.example/reports/2026-q3');
INSERT INTO downloads_url_chains VALUES(1,1,'https://storage.example/reports/2026-q3.pdf?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20261120%2Feu-central-1%2Fs3%2Faws4_request&X-Amz-Date=20261120T134410Z&X-Amz-Expires=3600&X-Amz-SignedHeaders=host&X-Amz-Signature=18aecfc3c9add6a33c246df93045d1d3e2cdf90b29419bc13927796bd67628ae');
