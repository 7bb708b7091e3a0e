<?php
// SPDX-License-Identifier: MIT
// client.php URL DATE: three requests with one cURL handle; prints [[status, body], ...] as JSON.
$handle = curl_init();
$tag = null;

function ask(CurlHandle $handle, string $url, array $fields): array
{
    global $tag;
    curl_setopt_array($handle, [
        CURLOPT_URL => $url,
        CURLOPT_HTTPHEADER => $fields,
        CURLOPT_RETURNTRANSFER => true,
        CURLOPT_TIMEOUT => 20,
        CURLOPT_HEADERFUNCTION => function ($handle, string $line) use (&$tag) {
            if (stripos($line, 'etag:') === 0) {
                $tag = trim(substr($line, 5));
            }
            return strlen($line);
        },
    ]);
    $body = curl_exec($handle);
    return [curl_getinfo($handle, CURLINFO_RESPONSE_CODE), $body];
}

$answers = [ask($handle, $argv[1], [])];
$answers[] = ask($handle, $argv[1], ["If-None-Match: $tag"]);
$answers[] = ask($handle, $argv[1], ["If-Modified-Since: $argv[2]"]);
echo json_encode($answers);
