curl --location --request POST 'https://api.quickrouter.ai/v1/images/generations' \
--header 'Accept: application/json' \
--header 'Authorization: Bearer YOUR_API_KEY' \
--header 'Content-Type: application/json' \
--data-raw '{
"size": "1024x1536",
"prompt": "a man walks",
"model": "gpt-image-1.5",
"n": 1
}'
