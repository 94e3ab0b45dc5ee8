-- bob's Mac: the origins of downloaded files (com.apple.LaunchServices.QuarantineEventsV2), made up after files of macOS.
PRAGMA page_size=512;
CREATE TABLE LSQuarantineEvent(LSQuarantineEventIdentifier TEXT PRIMARY KEY NOT NULL, LSQuarantineTimeStamp REAL, LSQuarantineAgentBundleIdentifier TEXT, LSQuarantineAgentName TEXT, LSQuarantineDataURLString TEXT, LSQuarantineSenderName TEXT, LSQuarantineSenderAddress TEXT, LSQuarantineTypeNumber INTEGER, LSQuarantineOriginTitle TEXT, LSQuarantineOriginURLString TEXT, LSQuarantineOriginAlias BLOB);
INSERT INTO LSQuarantineEvent VALUES('9B1F',816935602.5,'com.apple.Safari','Safari','https://files.example/export.zip?access_token=tW4nZk8RqV2xLm6YcJ9hBd3PfGs7Ea1U',NULL,NULL,0,NULL,'https://files.example/',NULL);
INSERT INTO LSQuarantineEvent VALUES('9B20',816935702,'com.apple.Safari','Safari','https://news.example/picture.png?width=200',NULL,NULL,0,NULL,'https://news.example/',NULL);
