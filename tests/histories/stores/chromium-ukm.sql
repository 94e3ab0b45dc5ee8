-- alice's Chrome: the ukm_db of Chromium 156 (components/segmentation_platform), made up. It lies beside the
-- profiles and has the URLs of all of them.
PRAGMA page_size=512;
CREATE TABLE metrics(id INTEGER PRIMARY KEY NOT NULL,event_timestamp INTEGER NOT NULL,ukm_source_id INTEGER NOT NULL,url_id INTEGER NOT NULL,event_id INTEGER NOT NULL,event_hash TEXT NOT NULL,metric_hash TEXT NOT NULL,metric_value INTEGER NOT NULL);
CREATE TABLE urls(url_id INTEGER PRIMARY KEY NOT NULL,url TEXT NOT NULL,last_timestamp INTEGER NOT NULL,counter INTEGER,title TEXT,profile_id TEXT);
INSERT INTO urls VALUES(-7303442089106415190,'https://spa.example/callback#access_token=eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCIsImtpZCI6IjIwMjYtMTAifQ.eyJpc3MiOiJodHRwczovL2xvZ2luLmlkcC5leGFtcGxlIiwic3ViIjoiYWxpY2UtODQxMiIsImF1ZCI6Imh0dHBzOi8vYXBpLmV4YW1wbGUiLCJjbGllbnRfaWQiOiJzcGEtbGVnYWN5Iiwic2NvcGUiOiJvcmRlcnMucmVhZCBwcm9maWxlIiwiaWF0IjoxNzk1MTY1MzkyLCJleHAiOjE3OTUxNjg5OTIsImp0aSI6ImF0LTAwMDEifQ.bWFkZSB1cCwgdmVyaWZpZXMgbm93aGVyZTogMuKak2LHROjSkFnI52TBZqoeV15AwJdQsm3sYM8rmbAX-PZdXg&token_type=Bearer&expires_in=3600&scope=orders.read%20profile&state=4xlbR1N2RQnb7vqUmLmGOs',13439638992422000,1,'Orders','1');
INSERT INTO urls VALUES(-204811907655413312,'https://geo.example/lookup?country_code=DE&code=49',13439638771013000,1,'Dialling codes','1');
INSERT INTO urls VALUES(5190022418336271001,'https://shop.example/auth/callback?code=VITqkr2QDF_hCjJWBKHjwenGtGRPEuBbVB9xm0&state=Betd3_G1vFo969xizvA6EnNa&iss=https%3A%2F%2Flogin.idp.example',13439639539969000,1,'Your account','1');
